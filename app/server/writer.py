"""The way of an answer to its client: in chunks where HTTP/1.1 has them, whoever writes.

Two may: the greenlet that answers, and the hub while that greenlet sleeps.
What either writes leaves in the order of the calls.
"""

import errno
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from socket import SHUT_RDWR
from typing import Any

from gevent import socket

from app.server.aside import is_plain

WRITER = "perch.writer"
"""Where a request's environ has its ``ChunkedWriter``, under the worker of ours."""

# RFC 9112, section 7.1.
_CHUNK = b"%x\r\n%b\r\n"
_TLS = -1


class ReaderGone(BrokenPipeError):
    """The client takes no more bytes.

    Gunicorn closes the connection then. After a clean end of the response it
    would write the end mark, in the middle of a chunk.
    """

    def __init__(self) -> None:
        super().__init__(errno.EPIPE, "the client takes no more bytes")


class ChunkedWriter:
    """Writes one answer to a client, each wait for which ends with the socket's timeout.

    ``write`` and ``flush`` are for the greenlet that answers, and raise
    ``ReaderGone``, or an ``OSError`` of TLS. ``send`` and ``beat`` are for the hub:
    they never block, and never raise.
    """

    __slots__ = (
        "_encode",
        "_fd",
        "_heartbeat",
        "_is_chunked",
        "_is_gone",
        "_rest",
        "_sock",
        "on_gone",
    )

    def __init__(self, sock: Any, *, is_chunked: bool) -> None:
        self._sock = sock
        self._fd: int = sock.fileno() if is_plain(sock) else _TLS
        self._is_chunked = is_chunked
        self._is_gone = False
        # What leaves before anything else does.
        self._rest = b""
        self._encode: Callable[[Sequence[str]], bytes] = _nothing
        self._heartbeat = b""
        # Called where a write fails, be it from the hub.
        self.on_gone: Callable[[], None] | None = None

    def stream(
        self, encode: Callable[[Sequence[str]], bytes], heartbeat: bytes
    ) -> "ChunkedWriter | None":
        """Let the hub write what ``encode`` makes of deltas; ``None`` over TLS or to HTTP/1.0."""
        self._encode = encode
        self._heartbeat = heartbeat
        return self if self._is_chunked and self._fd != _TLS else None

    def begin(self, head: bytes, *, is_chunked: bool) -> None:
        """Let the head leave with the first piece of the body."""
        self._rest += head
        self._is_chunked = is_chunked

    def write(self, data: bytes) -> None:
        """Write a piece of the body, and wait until it has left."""
        self._add(data)
        self.flush()

    def finish(self, data: bytes) -> None:
        """Let the last piece of the body leave with the mark of its end."""
        if data:  # an empty chunk is that mark
            self._add(data)

    def end(self) -> None:
        """Mark the body's end, and wait until all has left."""
        if self._is_chunked:
            self._rest += b"0\r\n\r\n"
        self.flush()

    def send(self, tokens: Sequence[str]) -> bool:
        """Write deltas; false when ``flush`` must do the rest."""
        return self._try(self._encode(tokens))

    def beat(self) -> None:
        """Write a heartbeat, unless something waits."""
        if not self._rest:
            self._try(self._heartbeat)

    def hang_up(self) -> None:
        """Let the client see the end of the connection; what is written from now on fails."""
        if self._fd != _TLS:
            with suppress(OSError):
                self._sock._sock.shutdown(SHUT_RDWR)  # noqa: SLF001

    def flush(self) -> None:
        """Wait until all has left."""
        if not self._rest:
            return
        if self._is_gone:
            raise ReaderGone
        if self._fd == _TLS:
            rest, self._rest = self._rest, b""
            self._sock.sendall(rest)
            return
        try:
            self._write_rest()
        except ReaderGone:
            self._is_gone = True
            self._lose()
            raise

    def _add(self, data: bytes) -> None:
        self._rest += _CHUNK % (len(data), data) if self._is_chunked else data

    def _try(self, data: bytes) -> bool:
        """Write a chunk, or let it wait behind what does."""
        chunk = _CHUNK % (len(data), data)
        if self._rest:
            self._rest += chunk
            return False
        try:
            sent = os.write(self._fd, chunk)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._lose()
            return True
        if sent == len(chunk):
            return True
        self._rest = chunk[sent:]
        return False

    def _lose(self) -> None:
        if self.on_gone is not None:
            self.on_gone()

    def _write_rest(self) -> None:
        patience_s = self._sock.timeout
        give_up_at = time.monotonic() + patience_s
        while self._rest:
            try:
                sent = os.write(self._fd, self._rest)
            except BlockingIOError:
                if time.monotonic() > give_up_at:
                    raise ReaderGone from None
                socket.wait_write(self._fd, patience_s, ReaderGone())
            except OSError as error:
                raise ReaderGone from error
            else:
                self._rest = self._rest[sent:]
                give_up_at = time.monotonic() + patience_s


def _nothing(_tokens: Sequence[str]) -> bytes:
    return b""
