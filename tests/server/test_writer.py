"""What a client reads of what is written to it, over a real socket."""

import errno
import re
import struct
from contextlib import suppress
from typing import Any

import gevent
import pytest
from gevent import socket

from app.protocols.ndjson import NDJSON
from app.server.writer import ChunkedWriter, ReaderGone
from tests.conftest import Pair
from tests.fakes import until

HEARTBEAT = b"\n"


def a_writer(sock: Any, send_timeout_s: float = 5.0) -> ChunkedWriter:
    """A writer from which the hub may write."""
    sock.settimeout(send_timeout_s)
    writer = ChunkedWriter(sock, is_chunked=True)
    assert writer.stream(NDJSON.tokens, HEARTBEAT) is writer
    return writer


def unchunked(data: bytes) -> bytes:
    """The body of these whole chunks."""
    body = b""
    while data:
        size, _, rest = data.partition(b"\r\n")
        body += rest[: int(size, 16)]
        assert rest[int(size, 16) :][:2] == b"\r\n"
        data = rest[int(size, 16) + 2 :]
    return body


def test_hub_does_not_write_where_there_are_no_chunks_or_tls(pair: Pair) -> None:
    old = ChunkedWriter(pair[0], is_chunked=False)
    tls = ChunkedWriter(object(), is_chunked=True)

    assert old.stream(NDJSON.tokens, HEARTBEAT) is None
    assert tls.stream(NDJSON.tokens, HEARTBEAT) is None


def read_all(visitor: Any) -> bytes:
    visitor.settimeout(0)
    data = b""
    with suppress(BlockingIOError):
        while piece := visitor.recv(65_536):
            data += piece
    return data


def test_head_leaves_with_the_first_piece_and_the_last_piece_with_the_end(pair: Pair) -> None:
    server, visitor = pair
    writer = a_writer(server)

    writer.begin(b"head\r\n\r\n", is_chunked=True)
    assert read_all(visitor) == b""
    writer.write(b"first\n")
    assert read_all(visitor) == b"head\r\n\r\n6\r\nfirst\n\r\n"
    writer.finish(b"last\n")
    assert read_all(visitor) == b""
    writer.end()
    assert read_all(visitor) == b"5\r\nlast\n\r\n0\r\n\r\n"


def test_last_piece_may_be_empty(pair: Pair) -> None:
    server, visitor = pair
    writer = a_writer(server)

    writer.finish(b"")
    writer.end()

    assert read_all(visitor) == b"0\r\n\r\n"


def test_body_without_chunks_is_written_as_it_is(pair: Pair) -> None:
    server, visitor = pair
    writer = a_writer(server)

    writer.begin(b"head\r\n\r\n", is_chunked=False)
    writer.write(b"first")
    writer.finish(b"last")
    writer.end()

    assert read_all(visitor) == b"head\r\n\r\nfirstlast"


class Tls:
    """A socket whose bytes are encrypted on the way: only it may send them."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)


def test_over_tls_the_socket_sends_the_same(pair: Pair) -> None:
    sock = Tls()
    writer = ChunkedWriter(sock, is_chunked=True)

    writer.begin(b"head\r\n\r\n", is_chunked=True)
    writer.write(b"first\n")
    writer.finish(b"last\n")
    writer.end()

    assert sock.sent == [
        b"head\r\n\r\n6\r\nfirst\n\r\n",
        b"5\r\nlast\n\r\n0\r\n\r\n",
    ]


def test_heartbeat_is_a_chunk_unless_something_waits(pair: Pair) -> None:
    server, visitor = pair
    writer = a_writer(server)

    writer.beat()
    assert read_all(visitor) == b"1\r\n\n\r\n"

    writer.begin(b"head", is_chunked=True)
    writer.beat()
    writer.flush()
    assert read_all(visitor) == b"head"


def test_deltas_are_one_chunk_of_lines(pair: Pair) -> None:
    server, visitor = pair
    writer = a_writer(server)

    assert writer.send(["Hel", 'lo "you"\n']) is True

    assert unchunked(visitor.recv(4096)) == NDJSON.tokens(["Hel", 'lo "you"\n'])


def test_slow_reader_gets_everything_in_order(pair: Pair) -> None:
    server, visitor = pair
    writer = a_writer(server)
    sends = [[f"{number} " + "x" * 20_000] for number in range(20)]

    def send_all() -> None:
        for deltas in sends:
            if not writer.send(deltas):
                writer.flush()
        server.shutdown(socket.SHUT_WR)

    sending = gevent.spawn(send_all)
    received = b"".join(iter(lambda: visitor.recv(65_536), b""))
    sending.get(timeout=20)

    assert unchunked(received) == b"".join(NDJSON.tokens(deltas) for deltas in sends)


def test_what_is_sent_while_the_writer_is_full_waits_its_turn(pair: Pair) -> None:
    server, visitor = pair
    writer = a_writer(server)
    large = ["x" * 500_000]

    assert writer.send(large) is False
    assert writer.send(["after"]) is False
    flushing = gevent.spawn(writer.flush)
    received = b""
    while not received.endswith(b'"after"}\n\r\n'):
        received += visitor.recv(65_536)
    flushing.get(timeout=20)

    assert unchunked(received) == NDJSON.tokens([*large, "after"])


def test_reader_who_takes_nothing_is_gone(pair: Pair) -> None:
    writer = a_writer(pair[0], send_timeout_s=0.05)
    writer.send(["x" * 500_000])

    with pytest.raises(ReaderGone) as gone:
        writer.flush()

    # What gunicorn takes for a connection that broke: it closes, and writes no end.
    assert isinstance(gone.value, OSError)
    assert gone.value.errno == errno.EPIPE


def test_reader_who_resets_is_gone(pair: Pair) -> None:
    server, visitor = pair
    writer = a_writer(server)
    writer.send(["x" * 500_000])
    visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    visitor.close()

    with pytest.raises(ReaderGone):
        writer.flush()


def test_write_to_one_who_left_tells_it(pair: Pair) -> None:
    server, visitor = pair
    writer = a_writer(server)
    left: list[str] = []
    writer.on_gone = lambda: left.append("left")
    visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    visitor.close()

    def write() -> bool:
        writer.send(["Hi"])
        return bool(left)

    until(write)


def test_chunks_are_what_the_standard_says(pair: Pair) -> None:
    server, visitor = pair
    writer = a_writer(server)

    writer.send(["a" * 100])

    assert re.fullmatch(rb"[0-9a-f]+\r\n\{.*\}\n\r\n", visitor.recv(4096))


def test_one_whose_connection_was_hung_up_has_gone(pair: Pair) -> None:
    writer = a_writer(pair[0])
    gone: list[str] = []
    writer.on_gone = lambda: gone.append("gone")
    writer.write(b"half")

    writer.hang_up()
    writer.hang_up()  # as who left does whose write then fails

    with pytest.raises(ReaderGone):
        writer.write(b"never")
    assert gone == ["gone"]
    assert pair[1].recv(100) == b"4\r\nhalf\r\n"
    assert pair[1].recv(100) == b""
