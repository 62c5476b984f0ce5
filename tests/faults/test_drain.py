"""Going down with 200 open streams: each ends with its last line, and what was said is stored.

``DRAIN_RUNS`` asks for more runs of each signal than one; ``make soak`` makes it ten.
"""

import json
import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest

from tests.live.eventually import eventually
from tests.live.exchange import Answer, Exchange, request_bytes
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import WORDS, words

STREAMS = 200
RUNS = int(os.environ.get("DRAIN_RUNS", "1"))
GRACEFUL_S = 5
BUSY_MACHINE_S = 3.0
# Half of the models finish in time; the others would never.
WHOLE = '[[upstream {"tokens": 5, "fault": "", "gap_ms": 400}]]'
ENDLESS = '[[upstream {"tokens": 5, "fault": "stall", "at": 2}]]'
PARTIAL = "".join(WORDS[:2]).strip()


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
@pytest.mark.parametrize("run", range(RUNS))
def test_every_stream_ends_with_its_last_line(
    upstream: Upstream, tmp_path: Path, run: int, number: Signals
) -> None:
    settings = {"GRACEFUL_TIMEOUT": str(GRACEFUL_S)}
    with Server.over(upstream, tmp_path, **settings) as server, ExitStack() as stack:
        with ThreadPoolExecutor(20) as pool:
            streams = list(pool.map(lambda each: open_stream(server, each), range(STREAMS)))
        for stream in streams:
            stack.callback(stream.leave)

        server.signal(number)
        began = time.monotonic()
        with ThreadPoolExecutor(STREAMS) as pool:
            last = list(pool.map(lambda stream: stream.events()[-1], streams))
        took_s = time.monotonic() - began
        assert server.process.wait(10) == 0

    assert took_s < GRACEFUL_S + BUSY_MACHINE_S
    assert Counter(event.get("code", event["type"]) for event in last) == {
        "done": STREAMS // 2,
        "server_restarting": STREAMS // 2,
    }
    assert all(event["retryable"] for event in last if event["type"] == "error")
    with Server.over(upstream, tmp_path) as again:
        stored = Counter(answers(again))
    assert stored == {
        (words(5), "complete"): STREAMS // 2,
        (PARTIAL, "partial"): STREAMS // 2,
    }


def open_stream(server: Server, number: int) -> Exchange:
    """Open a stream, and read it up to its first token."""
    stream = server.stream(f"{number} {(WHOLE, ENDLESS)[number % 2]}", timeout_s=60)
    assert [stream.next_event()["type"] for _ in range(2)] == ["start", "token"]
    return stream


def answers(server: Server) -> list[tuple[str, str]]:
    """Return every stored answer with its status."""
    export = server.admin("/v1/admin/export?format=jsonl").body.splitlines()
    messages = [json.loads(line) for line in export]
    assert sum(each["role"] == "user" for each in messages) == STREAMS
    return [
        (each["content"].strip(), each["status"])
        for each in messages
        if each["role"] == "assistant"
    ]


def test_a_server_that_goes_down_takes_no_new_turn(upstream: Upstream) -> None:
    upstream.script(fault="stall", at=1)
    with Server.over(upstream, GRACEFUL_TIMEOUT="3") as server, ExitStack() as stack:
        held = stack.enter_context(server.stream("Hi"))
        held.until("token")
        # Open already: the listening socket closes first.
        doors = [stack.enter_context(Door(server)) for _ in range(12)]

        server.signal(SIGTERM)
        ready = eventually(lambda: not_ready(doors))
        refused = doors.pop().ask("POST", "/v1/chat", b'{"sessionId":"s-late","message":"Hi"}')

        assert ready.json["status"] != "ok"
        assert "restart" in str(ready.json).lower() or "drain" in str(ready.json).lower()
        assert (refused.status, refused.json["code"]) == (503, "server_restarting")
        assert int(refused.headers["Retry-After"]) >= 1
        assert held.events()[-1]["code"] == "server_restarting"


class Door(Exchange):
    """A connection that was opened early, for one request later."""

    def __init__(self, server: Server) -> None:
        super().__init__(server.address, b"")

    def ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        headers = {"Content-Type": "application/json", "x-api-key": WIDGET_KEY}
        self._socket.sendall(request_bytes(method, path, headers, body))
        return self.answer()


def not_ready(doors: list[Door]) -> Answer | None:
    time.sleep(0.1)
    answer = doors.pop().ask("GET", "/ready")
    return answer if answer.status == 503 else None
