"""A connected socket that never blocks, and its one read watcher."""

import os
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

import gevent
from gevent import socket
from gevent.ssl import PROTOCOL_TLS_CLIENT, SSLContext

from app.http_client.failures import HttpConnectFailed, HttpTimeout

# What `Connection.read` raises where nothing is there yet.
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
# Above one TLS record, and small enough to allocate for every read.
_READ_BYTES = 16_384
_TCP_USER_TIMEOUT_MS = 20_000


def make_tls_context() -> ssl.SSLContext:
    """Return a verifying context whose sockets wait in gevent, patched process or not."""
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context


class Connection:
    """One TCP connection; every wait on it is the caller's.

    ``read`` returns what one read brings, ``b""`` at the end, and raises one
    of ``WOULD_BLOCK`` where nothing is there, or another ``OSError`` where the
    connection is dead. ``has_buffered`` tells whether bytes wait where no
    watcher sees them; ``None`` where there is no such place. They are builtin
    functions: a token passes through them.
    """

    __slots__ = ("_fd", "_hub", "_sock", "has_buffered", "read", "watcher")

    def __init__(self, sock: Any) -> None:
        sock.settimeout(0)
        self._sock = sock
        self._fd: int = sock.fileno()
        # A third of the cost of gevent's `recv`.
        self.read: Callable[[], bytes] = partial(os.read, self._fd, _READ_BYTES)
        self.has_buffered: Callable[[], int] | None = None
        self._hub = gevent.get_hub()
        self.watcher = self._hub.loop.io(self._fd, 1)

    def rest(self, forget: Callable[["Connection"], None]) -> None:
        """Lie idle: a server that says anything now is about to close."""
        self.watcher.start(forget, self)

    def wake(self) -> bool:
        """Stop lying idle; false for a connection of another process's hub."""
        self.watcher.stop()
        return self._hub is gevent.get_hub()

    def wait_readable(self, timeout_s: float) -> None:
        """Wait until ``receive`` may bring something.

        Raises:
            HttpTimeout: nothing came in time.
        """
        socket.wait(self.watcher, timeout_s, HttpTimeout("the server is silent"))

    def send_all(self, data: bytes, timeout_s: float) -> None:
        """Send everything; the timeout is for each wait.

        Raises:
            HttpTimeout: the server takes nothing.
            OSError: the connection is dead.
        """
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._fd, view) :]
            except BlockingIOError:
                socket.wait_write(self._fd, timeout_s, HttpTimeout("the server takes no data"))

    def close(self) -> None:
        """Close the socket."""
        self.watcher.stop()
        self.watcher.close()
        self._sock.close()


class TlsConnection(Connection):
    """A connection that decrypts whole records, and so buffers."""

    __slots__ = ()

    def __init__(self, sock: Any) -> None:
        super().__init__(sock)
        self.read = partial(_read_record, sock)
        self.has_buffered = sock.pending

    def send_all(self, data: bytes, timeout_s: float) -> None:
        """Send everything within the timeout, as ``Connection.send_all`` does."""
        # Not `send`: on a TLS socket that never blocks, gevent's answers 0 for
        # "later", and does not tell what to wait for.
        self._sock.settimeout(timeout_s)
        try:
            self._sock.sendall(data)
        except TimeoutError as error:
            raise HttpTimeout("the server takes no data") from error
        finally:
            self._sock.settimeout(0)


def _read_record(sock: Any) -> bytes:
    try:
        data: bytes = sock.recv(_READ_BYTES)
    except ssl.SSLEOFError:
        return b""
    return data


def connect(host: str, port: int, tls: ssl.SSLContext | None, timeout_s: float) -> Connection:
    """Open a connection, TLS handshake included, within ``timeout_s``.

    Raises:
        HttpConnectFailed: there is none.
    """
    # gevent's own timer, because a name lookup obeys no socket timeout.
    with gevent.Timeout(timeout_s, HttpConnectFailed("connecting took too long")):
        try:
            sock = socket.create_connection((host, port), timeout=timeout_s)
        except OSError as error:
            raise HttpConnectFailed(str(error)) from error
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _TCP_USER_TIMEOUT_MS)
            if tls is None:
                return Connection(sock)
            sock = tls.wrap_socket(sock, server_hostname=host)
            return TlsConnection(sock)
        except BaseException as error:
            sock.close()
            if isinstance(error, OSError):
                raise HttpConnectFailed(str(error)) from error
            raise
