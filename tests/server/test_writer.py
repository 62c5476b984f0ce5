"""The visitor's connection, as a real socket."""

import errno
import re
import struct
from typing import Any

import gevent
import pytest
from gevent import socket

from app.protocols.ndjson import NDJSON
from app.server.writer import Connection, ReaderGone, SocketOutlet
from tests.conftest import Pair
from tests.fakes import until


def environ(sock: Any, **more: str) -> dict[str, Any]:
    return {"gunicorn.socket": sock, "SERVER_PROTOCOL": "HTTP/1.1", **more}


def opened(sock: Any, send_timeout_s: float = 5.0) -> tuple[Connection, SocketOutlet]:
    connection = Connection.of(environ(sock), send_timeout_s, NDJSON)
    assert connection is not None
    assert connection.outlet is not None
    return connection, connection.outlet


def unchunked(data: bytes) -> bytes:
    """The body of these whole chunks."""
    body = b""
    while data:
        size, _, rest = data.partition(b"\r\n")
        body += rest[: int(size, 16)]
        assert rest[int(size, 16) :][:2] == b"\r\n"
        data = rest[int(size, 16) + 2 :]
    return body


def test_outside_gunicorn_there_is_none() -> None:
    assert Connection.of({}, 5, NDJSON) is None
    assert Connection.of(environ(object()), 5, NDJSON) is None


@pytest.mark.parametrize("more", [{"SERVER_PROTOCOL": "HTTP/1.0"}, {"HTTP_VERSION": "2"}])
def test_framing_that_is_gunicorns_business_has_no_outlet(pair: Pair, more: dict[str, str]) -> None:
    connection = Connection.of(environ(pair[0], **more), 5, NDJSON)

    assert connection is not None
    assert connection.outlet is None


def test_deltas_are_one_chunk_of_lines(pair: Pair) -> None:
    server, visitor = pair
    _, outlet = opened(server)

    assert outlet.send(["Hel", 'lo "you"\n']) is True

    assert outlet.is_clear
    assert unchunked(visitor.recv(4096)) == NDJSON.tokens(["Hel", 'lo "you"\n'])


def test_slow_reader_gets_everything_in_order(pair: Pair) -> None:
    server, visitor = pair
    _, outlet = opened(server)
    sends = [[f"{number} " + "x" * 20_000] for number in range(20)]

    def send_all() -> None:
        for deltas in sends:
            if not outlet.send(deltas):
                assert not outlet.is_clear
                outlet.flush()
            assert outlet.is_clear
        server.shutdown(socket.SHUT_WR)

    sending = gevent.spawn(send_all)
    received = b"".join(iter(lambda: visitor.recv(65_536), b""))
    sending.get(timeout=20)

    assert unchunked(received) == b"".join(NDJSON.tokens(deltas) for deltas in sends)


def test_what_is_sent_while_the_outlet_is_full_waits_its_turn(pair: Pair) -> None:
    server, visitor = pair
    _, outlet = opened(server)
    large = ["x" * 500_000]

    assert outlet.send(large) is False
    assert outlet.send(["after"]) is False
    flushing = gevent.spawn(outlet.flush)
    received = b""
    while not received.endswith(b'"after"}\n\r\n'):
        received += visitor.recv(65_536)
    flushing.get(timeout=20)

    assert unchunked(received) == NDJSON.tokens([*large, "after"])


def test_reader_who_takes_nothing_is_gone(pair: Pair) -> None:
    _, outlet = opened(pair[0], send_timeout_s=0.05)
    outlet.send(["x" * 500_000])

    with pytest.raises(ReaderGone) as gone:
        outlet.flush()

    # What gunicorn takes for a connection that broke: it closes, and writes no end.
    assert isinstance(gone.value, OSError)
    assert gone.value.errno == errno.EPIPE


def test_reader_who_resets_is_gone(pair: Pair) -> None:
    server, visitor = pair
    _, outlet = opened(server)
    outlet.send(["x" * 500_000])
    visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    visitor.close()

    with pytest.raises(ReaderGone):
        outlet.flush()


def watched(connection: Connection) -> list[str]:
    left: list[str] = []
    connection.watch(lambda: left.append("left"))
    return left


def test_visitor_who_closes_is_noticed_without_a_write(pair: Pair) -> None:
    server, visitor = pair
    connection, _ = opened(server)
    left = watched(connection)

    visitor.close()

    until(lambda: left)
    connection.close()
    assert left == ["left"]


def test_visitor_who_resets_is_noticed(pair: Pair) -> None:
    server, visitor = pair
    connection, _ = opened(server)
    left = watched(connection)
    visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    visitor.close()

    until(lambda: left)
    connection.close()


def test_next_request_sent_early_is_not_leaving(pair: Pair) -> None:
    server, visitor = pair
    connection, _ = opened(server)
    left = watched(connection)

    visitor.sendall(b"GET /health HTTP/1.1\r\n\r\n")

    for _ in range(3):
        gevent.idle()
    assert left == []
    assert server.recv(4) == b"GET "  # still there for gunicorn
    connection.close()


def test_write_to_one_who_left_tells_it(pair: Pair) -> None:
    server, visitor = pair
    connection, outlet = opened(server)
    left = watched(connection)
    visitor.sendall(b"x")  # so that the watch sees something else first
    gevent.idle()
    visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    visitor.close()

    def write() -> bool:
        outlet.send(["Hi"])
        return bool(left)

    until(write)
    connection.close()


def test_closed_connection_tells_nothing_more(pair: Pair) -> None:
    server, visitor = pair
    connection, _ = opened(server)
    left = watched(connection)

    connection.close()
    visitor.close()

    for _ in range(3):
        gevent.idle()
    assert left == []
    assert server.gettimeout() is None


def test_vanished_visitors_are_noticed_by_the_kernel(pair: Pair) -> None:
    opened(pair[0])

    told = pair[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert 5_000 <= told <= 20_000


def test_chunks_are_what_the_standard_says(pair: Pair) -> None:
    server, visitor = pair
    _, outlet = opened(server)

    outlet.send(["a" * 100])

    assert re.fullmatch(rb"[0-9a-f]+\r\n\{.*\}\n\r\n", visitor.recv(4096))
