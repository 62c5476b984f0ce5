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

import pytest

from tests.live.eventually import eventually
from tests.notifications.outbox import NoticesInFile, Threads

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
