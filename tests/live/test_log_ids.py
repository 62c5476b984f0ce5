"""Whose each line of the log is: no request's and no turn's line lacks its ids, none has another's.

On SQLite, whatever the run's store is: half-way through, the test breaks it.
"""

import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPResponse
from typing import Any

import pytest

from tests.live.eventually import eventually
from tests.live.exchange import request_bytes
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.upstream import Upstream

AT_ONCE = 4
OWN_STORE = {"CONVEX_URL": "", "CONVEX_DEPLOY_KEY": ""}
NOT_STORED = "The answer of a turn was not stored"
PAUSED = "The model failed 1 times in a row"
IDS = ("id", "conversation", "turn")


@pytest.fixture
def server(upstream: Upstream) -> Iterator[Server]:
    with Server.over(upstream, **OWN_STORE, BREAKER_FAILURES="1") as server:
        yield server


def ask(server: Server, number: int, path: str, stall: bool) -> Any:
    script = {"tokens": 4, "fault": "stall"} if stall else {"status": 401}
    return server.send(
        "POST",
        path,
        {
            "sessionId": f"session-{number}",
            "turnId": f"turn-000{number}",
            "message": f"Hello [[upstream {json.dumps(script)}]]",
        },
        x_api_key=WIDGET_KEY,
        x_request_id=f"request-{number}",
    )


def lines_of(server: Server, start: str) -> list[dict[str, Any]]:
    return [line for line in server.log_lines() if line["event"].startswith(start)]


def test_each_line_of_interleaved_turns_carries_its_own_ids(
    server: Server, upstream: Upstream
) -> None:
    """Streams and one whole answer wait for their model while another turn fails at its own."""
    paths = ["/v1/chat/stream", "/chat", "/v1/chat/stream", "/v1/chat"]
    running = [ask(server, number, path, stall=True) for number, path in enumerate(paths)]
    upstream.wait_for_request(AT_ONCE)
    failed = ask(server, AT_ONCE, "/v1/chat", stall=False).answer()
    with closing(sqlite3.connect(server.environment["SQLITE_PATH"])) as store:
        store.execute("ALTER TABLE messages RENAME TO lost")
        store.commit()

    upstream.release()
    answers = [each.answer() for each in running]
    eventually(lambda: len(lines_of(server, "stream")) == AT_ONCE + 1)

    assert [each.status for each in [*answers, failed]] == [200, 200, 200, 503, 502]
    conversations = [
        json.loads(each.body.partition(b"\n")[0])["conversationId"] for each in answers[:3]
    ]
    expected = {(f"request-{number}", f"turn-000{number}") for number in range(AT_ONCE + 1)}
    for event in ("stream", "request"):
        lines = [line for line in lines_of(server, event) if "turn" in line]
        assert {(line["id"], line["turn"]) for line in lines} == expected
        assert [
            next(line["conversation"] for line in lines if line["id"] == f"request-{number}")
            for number in range(3)
        ] == conversations
    own = {line["id"]: [line[name] for name in IDS] for line in lines_of(server, "stream")}
    (paused,) = lines_of(server, PAUSED)
    assert [paused[name] for name in IDS] == own[f"request-{AT_ONCE}"]
    not_stored = lines_of(server, NOT_STORED)
    assert sorted([line[name] for name in IDS] for line in not_stored) == sorted(
        own[f"request-{number}"] for number in range(AT_ONCE)
    )


def test_connection_that_goes_on_keeps_no_id(server: Server) -> None:
    """A turn, a request without one, and what is no request at all, one after another."""
    body = json.dumps({"sessionId": "s", "turnId": "turn-0001", "message": "Hello"}).encode()
    head = {"Connection": "keep-alive", "x-api-key": WIDGET_KEY, "x-request-id": "request-1"}
    head["Content-Type"] = "application/json"
    pieces = [
        request_bytes("POST", "/v1/chat/stream", head, body),
        request_bytes("GET", "/health", {"Connection": "keep-alive", "x-request-id": "request-2"}),
        b"GET / HTTP/1.1\r\nno field\r\n\r\n",
    ]

    statuses = []
    with socket.create_connection(server.address, 10) as link:
        for piece in pieces:
            link.sendall(piece)
            response = HTTPResponse(link)
            response.begin()
            response.read()
            statuses.append(response.status)
    eventually(lambda: bool(lines_of(server, "Invalid request")))

    assert statuses == [200, 200, 400]
    lines = server.log_lines()
    assert [line["event"] for line in lines if line.get("id") == "request-1"] == [
        "request",
        "stream",
    ]
    assert all(line.get("turn") == "turn-0001" for line in lines if line.get("id") == "request-1")
    (second,) = [line for line in lines if line.get("id") == "request-2"]
    (unreadable,) = lines_of(server, "Invalid request")
    assert not {"conversation", "turn"} & set(second)
    assert not set(IDS) & set(unreadable)
