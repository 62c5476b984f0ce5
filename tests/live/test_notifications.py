"""kill -9 of a sender: nothing is lost, and nobody who has taken a notice is told again."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from signal import SIGTERM

import pytest

from tests.live.eventually import eventually
from tests.notifications.outbox import NoticesInFile, Threads
from tests.notifications.sender_process import SECRET
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.upstream import Upstream

NOTICES = 6
# Longer than any lease lives.
AHEAD_S = 200


class Receiver(ThreadingHTTPServer):
    """Counts what came, and answers it, unless it hangs."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.came: Counter[str] = Counter()
        self.goes_on = threading.Event()
        self.goes_on.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came[self.headers["webhook-id"]] += 1
        self.server.goes_on.wait(30)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_args: object) -> None: ...


@pytest.fixture
def receivers() -> Iterator[tuple[Receiver, Receiver]]:
    both = (Receiver(), Receiver())
    for each in both:
        threading.Thread(target=each.serve_forever, daemon=True).start()
    yield both
    for each in both:
        each.goes_on.set()
        each.shutdown()
        each.server_close()


@contextmanager
def sender(file: Path, ahead_s: int, *receivers: Receiver) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.notifications.sender_process", str(file), str(ahead_s)]
    process = subprocess.Popen(
        [*command, *(each.url for each in receivers)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def now_ms() -> int:
    return int(time.time() * 1000)


def test_a_sender_that_is_killed_between_two_targets_loses_and_repeats_nothing(
    receivers: tuple[Receiver, Receiver], tmp_path: Path
) -> None:
    quick, hanging = receivers
    hanging.goes_on.clear()
    file = tmp_path / "notices.db"
    outbox = NoticesInFile(file, now_ms, Threads(now_ms))
    for _ in range(NOTICES):
        outbox.put_notice("conversation.waiting", "default")
    ids = {each.id for each in outbox.list_notices(limit=99)}

    with sender(file, 0, quick, hanging):
        eventually(lambda: hanging.came, within_s=30)
    taken = dict(quick.came)
    hanging.goes_on.set()
    with sender(file, AHEAD_S, quick, hanging):
        eventually(lambda: set(hanging.came) == ids == set(quick.came), within_s=30)
        eventually(lambda: all(not each.pending for each in outbox.list_notices(limit=99)))

    assert taken
    assert set(quick.came.values()) == {1}
    # Who had not answered was told again, by the same id.
    assert sorted(hanging.came.values())[-1] == 2
    assert not any(each.is_given_up for each in outbox.list_notices(limit=99))


def test_restart_tells_nobody_twice_and_keeps_nobody_waiting(
    receivers: tuple[Receiver, Receiver], upstream: Upstream, tmp_path: Path
) -> None:
    receiver, _ = receivers
    receiver.goes_on.clear()
    settings = {
        "HUMAN": "on",
        "WEBHOOK_URL": receiver.url,
        "WEBHOOK_SECRET": SECRET,
        "NOTIFY_PRIVATE_NETWORKS": "127.0.0.0/8",
    }
    with Server.over(upstream, tmp_path, **settings) as server:
        for _ in range(3):
            opened = server.request("POST", "/v1/session", {}, x_api_key=WIDGET_KEY).json
            token = f"Bearer {opened['token']}"
            server.request("POST", "/v1/session/handoff", {}, Authorization=token)
        eventually(lambda: receiver.came, within_s=30)

        server.signal(SIGTERM)
        eventually(lambda: "Worker exiting" in server.log(), within_s=20)
        receiver.goes_on.set()
        server.process.wait(timeout=30)
    with Server.over(upstream, tmp_path, **settings) as server:

        def left() -> list[str]:
            told = server.admin("/v1/admin/notices").json["notices"]
            return [each["id"] for each in told if each.get("pending") != []]

        # Before any lease has run out.
        eventually(lambda: not left(), within_s=45)

    assert set(receiver.came.values()) == {1}
    assert len(receiver.came) == NOTICES
