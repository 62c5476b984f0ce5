"""A client that leaves is noticed, over a real socket."""

import struct
from typing import Any

import gevent
from gevent import socket

from app.server.watch import Watch
from tests.conftest import Pair
from tests.fakes import until


def watched(sock: Any) -> tuple[Watch, list[str]]:
    left: list[str] = []
    return Watch(sock, lambda: left.append("left")), left


def test_outside_gunicorn_there_is_none() -> None:
    assert Watch.of({}, lambda: None) is None
    assert Watch.of({"gunicorn.socket": object()}, lambda: None) is None


def test_visitor_who_closes_is_noticed_without_a_write(pair: Pair) -> None:
    server, visitor = pair
    watch, left = watched(server)

    visitor.close()

    until(lambda: left)
    watch.close()
    assert left == ["left"]


def test_visitor_who_resets_is_noticed(pair: Pair) -> None:
    server, visitor = pair
    watch, left = watched(server)
    visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    visitor.close()

    until(lambda: left)
    watch.close()


def test_next_request_sent_early_is_not_leaving(pair: Pair) -> None:
    server, visitor = pair
    watch, left = watched(server)

    visitor.sendall(b"GET /health HTTP/1.1\r\n\r\n")

    for _ in range(3):
        gevent.idle()
    assert left == []
    assert server.recv(4) == b"GET "  # still there for gunicorn
    watch.close()


def test_closed_watch_tells_nothing_more(pair: Pair) -> None:
    server, visitor = pair
    watch, left = watched(server)

    watch.close()
    visitor.close()

    for _ in range(3):
        gevent.idle()
    assert left == []


def test_vanished_visitors_are_noticed_by_the_kernel(pair: Pair) -> None:
    watched(pair[0])

    told = pair[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert 5_000 <= told <= 20_000
