"""Good requests with a few bytes changed at random: no 5xx, no hang, nothing but JSON.

``MUTATIONS`` asks for more than the few of every day; ``make fuzz`` does.
"""

import json
import os
import random
import socket
from collections import Counter
from http.client import HTTPException, HTTPResponse

import pytest

from tests.live.exchange import request_bytes
from tests.servers.perch import ADMIN_KEY, WIDGET_KEY, Server
from tests.servers.upstream import Upstream

pytestmark = pytest.mark.sqlite  # what matters here lies before the store

MUTATIONS = int(os.environ.get("MUTATIONS", "150"))
PATIENCE_S = 5.0
BODY = json.dumps({"sessionId": "s-1", "message": "Hi 👋", "turnId": "turn-0001"}).encode()
JSON_TYPES = {"application/json", "application/x-ndjson; charset=utf-8"}
SEEDS = [
    request_bytes("POST", path, {"Content-Type": "application/json", "x-api-key": WIDGET_KEY}, BODY)
    for path in ("/v1/chat", "/v1/chat/stream", "/chat", "/v1/session")
] + [
    request_bytes("GET", path, {"x-admin-api-key": ADMIN_KEY})
    for path in (
        "/health",
        "/ready",
        "/v1/admin/conversations?limit=5&q=hi",
        "/v1/admin/conversations/abc",
        "/v1/admin/stats",
    )
]
PIECES = [b"\r\n", b"\n", b"\0", b":", b" ", b"\xff", b"%00", b"%", b"{", b'"', b"\\u", b"0", b"-1"]


def mutate(chance: random.Random) -> bytes:
    """Take a good request, and change one to four places of it."""
    data = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                data[at:at] = chance.choice(PIECES) * chance.choice((1, 1, 1, 50))
            case 2:
                del data[at : at + chance.randint(1, 8)]
            case _:
                data[at:at] = data[at : at + chance.randint(1, 40)]
    return bytes(data)


def test_no_mutation_breaks_the_server(upstream: Upstream) -> None:
    upstream.script(tokens=2)
    statuses: Counter[int | None] = Counter()
    with Server.over(upstream, APP_ENV="test", BUSY_WAIT_S="0.1") as server:
        for seed in range(MUTATIONS):
            sent = mutate(random.Random(seed))
            statuses.update(converse(server, sent) or [None])

        assert server.request("GET", "/health").status == 200
        assert "Traceback" not in server.log()
    print(dict(statuses))
    assert not [status for status in statuses if status is not None and status >= 500]
    assert len(statuses) > 3  # some are still good, some are bad in this way or that


def converse(server: Server, sent: bytes) -> list[int]:
    """Send the bytes and our end, and return the status of every answer."""
    statuses: list[int] = []
    with socket.create_connection(server.address, PATIENCE_S) as link:
        try:
            link.sendall(sent)
            link.shutdown(socket.SHUT_WR)
            while True:
                answer = HTTPResponse(link)
                answer.begin()
                body = answer.read()
                statuses.append(answer.status)
                if answer.status >= 400 or body:
                    assert answer.headers["Content-Type"] in JSON_TYPES, (sent, body)
        except (HTTPException, ConnectionError):
            return statuses
        except TimeoutError:
            raise AssertionError(f"no answer within {PATIENCE_S} s to {sent!r}") from None
