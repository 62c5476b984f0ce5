"""Visitors who leave, and visitors who vanish: nothing of theirs is left running.

That FIN and RST stop the model at each moment is ``tests/live/test_leavers.py``'s business.
"""

import ctypes
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.faults.conftest import DEADLINES, Elsewhere
from tests.live.eventually import eventually
from tests.live.exchange import Exchange
from tests.servers.planted_server import PlantedServer
from tests.servers.upstream import Request, Upstream
from tests.servers.upstream_script import WORDS, words

WITHIN_S = 1.0
# TCP_USER_TIMEOUT is 10 s; it runs from the first byte that nobody acknowledges.
HEARTBEAT_S = 1.0
VANISHED_WITHIN_S = 10.0 + HEARTBEAT_S + 4.0
CROWD = 40
SO_ATTACH_FILTER = 26

PATIENT = {"MODEL_READ_TIMEOUT_S": "60", "TURN_TIMEOUT_S": "60"}

ENDS: dict[str, Callable[[Exchange], None]] = {"FIN": Exchange.leave, "RST": Exchange.reset}
MOMENTS: dict[str, dict[str, Any]] = {
    "before the model answers": {"fault": "hang"},
    "while the model is silent": {"fault": "stall", "at": 2},
    "in the middle of the answer": {"tokens": ["word "] * 10_000, "gap_ms": 50},
}


def vanish(stream: Exchange) -> None:
    """Let nothing reach the client any more, as when its cable is cut.

    A socket filter drops every segment before it is acknowledged.
    """

    class Instruction(ctypes.Structure):
        _fields_ = (
            ("code", ctypes.c_uint16),
            ("jt", ctypes.c_uint8),
            ("jf", ctypes.c_uint8),
            ("k", ctypes.c_uint32),
        )

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_uint16), ("code", ctypes.c_void_p))

    drop_all = Instruction(0x06, 0, 0, 0)  # return 0 bytes of the packet
    program = Program(1, ctypes.addressof(drop_all))
    stream._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, bytes(program))


def request_of(upstream: Upstream, text: str) -> Request:
    """Return the request to the model with this question."""

    def look() -> list[Request]:
        return [each for each in upstream.requests if each.prompt[-1][1].startswith(text)]

    return eventually(look)[0]


@pytest.fixture(scope="module")
def brisk(session_upstream: Upstream) -> Iterator[PlantedServer]:
    """A server that is patient with its model: here the visitors go, not the answers."""
    with PlantedServer.over(session_upstream, **{**DEADLINES, **PATIENT}) as server:
        server.warm_up()
        yield server
        assert server.tracebacks() == []


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("script", MOMENTS.values(), ids=MOMENTS)
def test_a_crowd_that_leaves_gives_everything_back(
    brisk: PlantedServer,
    upstream: Upstream,
    elsewhere: Elsewhere,
    script: dict[str, Any],
    end: Callable[[Exchange], None],
) -> None:
    with elsewhere(brisk):
        before = len(upstream.requests)
        upstream.script(**script)
        streams = [brisk.stream(f"Hi {number}") for number in range(CROWD)]
        upstream.wait_for_request(before + CROWD)

        for stream in streams:
            end(stream)

        requests = upstream.requests[before:]
        assert all(request.left(within_s=WITHIN_S) for request in requests)


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_leaving_while_the_answer_is_stored_keeps_all_of_it(
    brisk: PlantedServer, upstream: Upstream, elsewhere: Elsewhere, end: Callable[[Exchange], None]
) -> None:
    upstream.script(tokens=3, fault="stall", at=2)
    with elsewhere(brisk):
        stream = brisk.stream("Hi")
        conversation = stream.next_event()["conversationId"]
        assert [stream.next_event()["type"] for _ in range(2)] == ["token", "token"]
        lock = sqlite3.connect(brisk.environment["SQLITE_PATH"], isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        upstream.release()
        stream.until("token")
        time.sleep(0.3)  # nothing outside tells that the answer waits for the lock

        end(stream)
        lock.execute("ROLLBACK")
        lock.close()
        answer = eventually(lambda: brisk.messages(conversation)[1:])[0]

    assert (answer["content"], answer["status"]) == (words(3), "complete")


def test_visitors_who_vanish_are_noticed(upstream: Upstream) -> None:
    settings = {**DEADLINES, **PATIENT}
    with PlantedServer.over(upstream, HEARTBEAT_S=str(HEARTBEAT_S), **settings) as server:
        server.warm_up()
        streams, conversations = {}, {}
        for moment, script in MOMENTS.items():
            upstream.next(**script)
            streams[moment] = server.stream(moment)
            conversations[moment] = streams[moment].next_event()["conversationId"]
        eventually(lambda: len(request_of(upstream, "in the middle").token_times) > 2)

        began = time.monotonic()
        for stream in streams.values():
            vanish(stream)
        for moment in MOMENTS:
            left_s = VANISHED_WITHIN_S - (time.monotonic() - began)
            assert request_of(upstream, moment).left(within_s=left_s), moment
        server.settle()

        _, *spoken = conversations.values()
        eventually(lambda: all(server.messages(each)[1:] for each in spoken))
        kept = {moment: server.messages(each)[1:] for moment, each in conversations.items()}
        for stream in streams.values():
            stream.leave()

    assert kept["before the model answers"] == []
    silent = kept["while the model is silent"][0]
    assert (silent["content"], silent["status"]) == ("".join(WORDS[:2]), "partial")
    assert set(kept["in the middle of the answer"][0]["content"].split()) == {"word"}
