"""A connected socket that never blocks, and its one read watcher."""

import contextlib
import os
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

import gevent
from gevent import socket
from gevent.hub import Waiter

from app.http_client.failures import HttpTimeout

# What `Connection.read` raises where nothing is there yet.
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
# Above one TLS record, and small enough to allocate for every read.
READ_BYTES = 16_384


def make_tls_context() -> ssl.SSLContext:
    """Return a context that verifies the server by the system's certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context


class Connection:
    """One TCP connection; every wait on it is the caller's.

    ``read`` returns what one read brings, ``b""`` at the end, and raises one
    of ``WOULD_BLOCK`` where nothing is there, or another ``OSError`` where the
    connection is dead. ``has_buffered`` tells whether bytes wait where no
    watcher sees them; ``None`` where there is no such place.
    """

    __slots__ = ("_hub", "fd", "has_buffered", "read", "sock", "watcher")

    def __init__(self, sock: Any) -> None:
        sock.settimeout(0)
        self.sock = sock
        self.fd: int = sock.fileno()
        # A third of the cost of gevent's `recv`.
        self.read: Callable[[], bytes] = partial(os.read, self.fd, READ_BYTES)
        self.has_buffered: Callable[[], int] | None = None
        self._hub = gevent.get_hub()
        self.watcher = self._hub.loop.io(self.fd, 1)

    @property
    def holds_more(self) -> bool:
        """Whether bytes were received that nobody has read."""
        return self.has_buffered is not None and bool(self.has_buffered())

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
        # What gevent's own `wait` does, without an object and ten calls for the timeout.
        waiter: Any = Waiter()
        timer = self._hub.loop.timer(timeout_s)
        timer.start(waiter.throw, HttpTimeout("the server is silent"), update=True)
        self.watcher.start(waiter.switch, None)
        try:
            waiter.get()
        finally:
            self.watcher.stop()
            timer.close()

    def send_all(self, data: bytes, timeout_s: float | None) -> None:
        """Send everything; the timeout is for each wait.

        Raises:
            HttpTimeout: the server takes nothing.
            OSError: the connection is dead.
        """
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self.fd, view) :]
            except BlockingIOError:
                socket.wait_write(self.fd, timeout_s, HttpTimeout("the server takes no data"))

    def close(self) -> None:
        """Close the socket."""
        self.watcher.stop()
        self.watcher.close()
        self.sock.close()


class TlsConnection(Connection):
    """A connection that decrypts what one read of the one under it brought.

    Through buffers in memory: OpenSSL's own reads of a socket take two system
    calls a record, one for its head and one for the rest. Closing it closes
    the one under it, which is a socket's own, or TLS with a proxy.
    """

    __slots__ = ("_received", "_tls", "_to_send", "_under")

    def __init__(self, under: Connection, context: ssl.SSLContext | None, host: str) -> None:
        super().__init__(under.sock)
        self._under = under
        context = context or make_tls_context()
        self._received, self._to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._received, self._to_send, server_hostname=host)
        self.read = self._read
        self.has_buffered = self._has_buffered

    def shake_hands(self) -> None:
        """Agree on keys; the caller bounds the time.

        Raises:
            OSError: the server is not who it should be, or gone.
        """
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._send_rest(None)
                if not self._under.holds_more:
                    socket.wait(self.watcher)
                with contextlib.suppress(*WOULD_BLOCK):  # half a record of the one under it
                    self._take_in()
            else:
                self._send_rest(None)
                return

    def send_all(self, data: bytes, timeout_s: float | None) -> None:
        """Send everything; the timeout is for each wait."""
        self._tls.write(data)
        self._send_rest(timeout_s)

    def close(self) -> None:
        """Close the socket."""
        super().close()
        self._under.close()
        # They are this connection's own, and would keep its buffers until a collection.
        self.read, self.has_buffered = bytes, None

    def _send_rest(self, timeout_s: float | None) -> None:
        self._under.send_all(self._to_send.read(), timeout_s)

    def _take_in(self) -> None:
        data = self._under.read()
        if data:
            self._received.write(data)
        else:
            self._received.write_eof()

    def _read(self) -> bytes:
        if not (self._received.pending or self._tls.pending()):
            self._take_in()
        try:
            return self._tls.read(READ_BYTES)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""

    def _has_buffered(self) -> int:
        return self._received.pending or self._tls.pending() or self._under.holds_more
