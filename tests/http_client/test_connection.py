"""A TLS connection over a real socket; the server encrypts in memory, so that the test cuts."""

import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent import socket

from app.http_client import HttpTimeout
from app.http_client.connection import WOULD_BLOCK, Connection, TlsConnection

WAIT_S = 20.0


class Server:
    """The server's end, which says what it is told to, in bytes that the test may cut."""

    def __init__(self, sock: Any, certificate: Path) -> None:
        self.sock = sock
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._received, self._to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._received, self._to_send, server_side=True)

    def shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self.sock.sendall(self._to_send.read())
                received = self.sock.recv(65_536)
                if not received:
                    return
                self._received.write(received)
            else:
                self.sock.sendall(self._to_send.read())
                return

    def encrypt(self, data: bytes) -> bytes:
        """Return a record."""
        self._tls.write(data)
        return self._to_send.read()

    def say_goodbye(self) -> bytes:
        with pytest.raises(ssl.SSLWantReadError):
            self._tls.unwrap()
        return self._to_send.read()

    def decrypt(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            self._received.write(self.sock.recv(65_536))
            with suppress(ssl.SSLWantReadError):
                while self._received.pending:
                    data += self._tls.read(65_536)
        return data


@pytest.fixture
def ends(certificate: Path, tls_context: ssl.SSLContext) -> Any:
    """A connection and its server, who have agreed on keys."""
    ours, theirs = socket.socketpair()
    server = Server(theirs, certificate)
    shaking = gevent.spawn(server.shake_hands)
    connection = TlsConnection(Connection(ours), tls_context, "localhost")
    connection.shake_hands()
    shaking.get(timeout=WAIT_S)
    yield connection, server
    connection.close()
    theirs.close()


def received(connection: TlsConnection, size: int) -> bytes:
    """Read so many bytes, as a pump does, waiting where nothing is there."""
    data = b""
    while len(data) < size:
        try:
            data += connection.read() or pytest.fail("it ended early")
        except WOULD_BLOCK:
            connection.wait_readable(WAIT_S)
    return data


@pytest.mark.parametrize("step", [1, 5, 100, 10_000])
def test_records_may_be_cut_anywhere(ends: tuple[TlsConnection, Server], step: int) -> None:
    connection, server = ends
    said = [b"first", b"x" * 300, b"last"]
    sent = b"".join(map(server.encrypt, said))

    def send() -> None:
        for at in range(0, len(sent), step):
            server.sock.sendall(sent[at : at + step])
            gevent.sleep(0)

    gevent.spawn(send)

    assert received(connection, 309) == b"".join(said)


def test_what_one_read_of_the_socket_brought_is_known_to_be_there(
    ends: tuple[TlsConnection, Server],
) -> None:
    connection, server = ends
    server.sock.sendall(server.encrypt(b"one") + server.encrypt(b"two"))
    connection.wait_readable(WAIT_S)
    assert connection.has_buffered is not None

    first, more = connection.read(), connection.has_buffered()
    second, nothing = connection.read(), connection.has_buffered()

    assert (first, bool(more), second, bool(nothing)) == (b"one", True, b"two", False)


def test_part_of_a_record_is_nothing_yet(ends: tuple[TlsConnection, Server]) -> None:
    connection, server = ends
    record = server.encrypt(b"whole")
    server.sock.sendall(record[:9])
    connection.wait_readable(WAIT_S)

    with pytest.raises(WOULD_BLOCK):
        connection.read()

    assert connection.has_buffered is not None
    assert not connection.has_buffered()  # else the pump would ask again and again
    server.sock.sendall(record[9:])
    assert received(connection, 5) == b"whole"


@pytest.mark.parametrize("is_polite", [True, False])
def test_end_of_the_connection_is_an_empty_read(
    ends: tuple[TlsConnection, Server], is_polite: bool
) -> None:
    connection, server = ends
    server.sock.sendall(server.encrypt(b"last") + (server.say_goodbye() if is_polite else b""))
    server.sock.close()

    assert received(connection, 4) == b"last"
    connection.wait_readable(WAIT_S)
    assert connection.read() == b""


def test_large_request_waits_for_the_server_to_take_it(ends: tuple[TlsConnection, Server]) -> None:
    connection, server = ends
    large = b"x" * 1_000_000
    reading = gevent.spawn(server.decrypt, len(large))

    connection.send_all(large, WAIT_S)

    assert reading.get(timeout=WAIT_S) == large


def test_server_that_takes_nothing_is_a_timeout(ends: tuple[TlsConnection, Server]) -> None:
    connection, _ = ends

    with pytest.raises(HttpTimeout):
        connection.send_all(b"x" * 5_000_000, 0.05)


def test_nothing_comes_from_a_closed_connection(ends: tuple[TlsConnection, Server]) -> None:
    connection, _ = ends

    connection.close()

    assert connection.read() == b""
    assert connection.has_buffered is None


def test_server_that_hangs_up_while_keys_are_agreed_is_an_error(
    tls_context: ssl.SSLContext,
) -> None:
    ours, theirs = socket.socketpair()
    theirs.close()

    with pytest.raises((ConnectionError, ssl.SSLError)):
        TlsConnection(Connection(ours), tls_context, "localhost").shake_hands()

    ours.close()
