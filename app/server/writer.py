"""The visitor's connection under gunicorn: noticed when it closes, written to directly.

Only one of two may write at a time: gunicorn, with what a response yields, or
the ``SocketOutlet``, while the response's generator runs the turn.
"""

import errno
import os
import select
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

import gevent
from gevent import monkey, socket

# With a heartbeat every 12 s a vanished visitor is noticed within 25 s.
_TCP_USER_TIMEOUT_MS = 10_000
_GONE = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR
_poll = monkey.get_original("select", "poll")


class Encoder(Protocol):
    """What an answer's bytes are: deltas, and what clients skip."""

    @property
    def heartbeat(self) -> bytes:
        """Bytes that only show that the connection lives."""
        ...

    def tokens(self, tokens: Sequence[str]) -> bytes:
        """Return deltas; called in gevent's hub, so it never blocks and never raises."""
        ...


class ReaderGone(BrokenPipeError):
    """The visitor takes no more bytes.

    Gunicorn closes the connection then. After a clean end of the response it
    would write the end mark, in the middle of a chunk.
    """

    def __init__(self) -> None:
        super().__init__(errno.EPIPE, "the visitor takes no more bytes")


class LastPiece(bytes):
    """The last piece of a body: it leaves together with the mark of the body's end."""


class Connection:
    """A visitor's socket, watched from ``open`` to ``close``."""

    __slots__ = ("_sock", "_watcher", "outlet")

    def __init__(self, sock: Any, outlet: "SocketOutlet | None") -> None:
        self._sock = sock
        self._watcher: Any = None
        self.outlet = outlet

    @classmethod
    def of(
        cls, environ: dict[str, Any], send_timeout_s: float, encoder: Encoder | None = None
    ) -> Self | None:
        """Return the connection of a request; ``None`` outside gunicorn's gevent worker.

        Without an ``encoder`` it is only watched. So are a TLS or HTTP/2 connection
        and a client of HTTP/1.0: their framing is gunicorn's business.
        """
        sock = environ.get("gunicorn.socket")
        if sock is None or not hasattr(sock, "hub"):
            return None
        sock.settimeout(send_timeout_s)
        if hasattr(socket, "TCP_USER_TIMEOUT") and sock.family != getattr(socket, "AF_UNIX", None):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _TCP_USER_TIMEOUT_MS)
        is_plain = type(sock) is socket.socket and environ.get("HTTP_VERSION") != "2"
        is_chunked = environ.get("SERVER_PROTOCOL") == "HTTP/1.1"
        if encoder is None or not (is_plain and is_chunked):
            return cls(sock, None)
        return cls(sock, SocketOutlet(sock.fileno(), send_timeout_s, encoder))

    def watch(self, on_leave: Callable[[], None]) -> None:
        """Call ``on_leave`` from the hub when the visitor's side closes."""
        self._watcher = gevent.get_hub().loop.io(self._sock.fileno(), 1)
        self._watcher.start(self._on_readable, on_leave)
        if self.outlet is not None:
            self.outlet.on_broken = on_leave

    def close(self) -> None:
        """Stop watching; the socket stays gunicorn's."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None
        if self._sock.fileno() >= 0:
            self._sock.settimeout(None)

    def _on_readable(self, on_leave: Callable[[], None]) -> None:
        poll = _poll()
        poll.register(self._sock.fileno(), _GONE)
        # What is readable may also be the client's next request, sent early;
        # then only a write will show that it left.
        self._watcher.stop()
        if poll.poll(0):
            on_leave()


class SocketOutlet:
    """Writes deltas as HTTP chunks (RFC 9112 section 7.1), never blocking in the hub."""

    __slots__ = ("_encoder", "_fd", "_is_gone", "_rest", "_send_timeout_s", "on_broken")

    def __init__(self, fd: int, send_timeout_s: float, encoder: Encoder) -> None:
        self._fd = fd
        self._encoder = encoder
        self._send_timeout_s = send_timeout_s
        self._rest = b""
        self._is_gone = False
        self.on_broken: Callable[[], None] | None = None

    @property
    def is_clear(self) -> bool:
        """Whether everything sent has left."""
        return not self._rest

    def send(self, tokens: Sequence[str]) -> bool:
        """Write deltas from the hub; false when ``flush`` must do the rest."""
        chunk = _chunk(self._encoder.tokens(tokens))
        if self._rest:
            self._rest += chunk
            return False
        return self._write(chunk)

    def beat(self) -> None:
        """Write a heartbeat, which clients skip; from the hub."""
        if not self._rest:
            self._write(_chunk(self._encoder.heartbeat))

    def flush(self) -> None:
        """Write what ``send`` could not, from the response's greenlet.

        Raises:
            ReaderGone: the visitor took nothing for the send timeout.
        """
        if self._is_gone:
            raise ReaderGone
        try:
            self._write_rest()
        except ReaderGone:
            self._is_gone = True
            raise

    def _write(self, chunk: bytes) -> bool:
        try:
            sent = os.write(self._fd, chunk)
        except BlockingIOError:
            sent = 0
        except OSError:
            if self.on_broken is not None:
                self.on_broken()
            return True
        if sent == len(chunk):
            return True
        self._rest = chunk[sent:]
        return False

    def _write_rest(self) -> None:
        give_up_at = time.monotonic() + self._send_timeout_s
        while self._rest:
            try:
                socket.wait_write(self._fd, self._send_timeout_s, ReaderGone())
                self._rest = self._rest[os.write(self._fd, self._rest) :]
                give_up_at = time.monotonic() + self._send_timeout_s
            except BlockingIOError:
                if time.monotonic() > give_up_at:
                    raise ReaderGone from None
            except OSError as error:
                raise ReaderGone from error


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
