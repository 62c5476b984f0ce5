"""The shortcut past the parser: a read that is exactly one chunk is taken for what it is.

It adds nothing but speed, and may be deleted: ``ResponseParser`` and ``Pump`` are
the plain way, and tests put both through the same bytes. What a token passes
through is one function, which holds what it needs: among a thousand streams,
each object on the way is a cold one. See ``docs/adr/0011-events-that-repeat.md``.
"""

import os
from collections.abc import Callable

from app.http_client.connection import READ_BYTES, WOULD_BLOCK, Connection
from app.http_client.parser import ResponseParser
from app.http_client.pump import Pump, Silence

_MAX_SIZE_DIGITS = 8


class ChunkParser(ResponseParser):
    """A ``ResponseParser`` that knows where it stands among chunks (RFC 9112 section 7.1)."""

    __slots__ = ("_is_in_chunk", "is_between_chunks")

    def __init__(self) -> None:
        super().__init__()
        self._is_in_chunk = True
        # Whether the next byte begins a chunk after another one.
        self.is_between_chunks = False

    def feed(self, data: bytes) -> None:
        """Parse what was read; ``b""`` is the connection's end."""
        super().feed(data)
        # A size that has only half come ends otherwise.
        self.is_between_chunks = not self._is_in_chunk and data.endswith(b"\n")

    def on_chunk_header(self) -> None:
        """Note that a chunk has begun."""
        self._is_in_chunk = True

    def on_chunk_complete(self) -> None:
        """Note that a chunk is over."""
        self._is_in_chunk = False


class ShortcutPump(Pump):
    """A ``Pump`` past whose parser most reads go: it stands between two chunks before and after."""

    __slots__ = ("_chunks", "_fd", "_has_buffers", "_is_between_chunks")

    def __init__(
        self,
        parser: ChunkParser,
        connection: Connection,
        consume: Callable[[bytes], bool],
        read_timeout_s: float,
        silence_s: Silence | None = None,
    ) -> None:
        super().__init__(parser, connection, consume, read_timeout_s, silence_s)
        self._chunks = parser
        self._is_between_chunks = parser.is_between_chunks
        self._has_buffers = connection.has_buffered is not None
        self._fd = connection.fd

    def _on_readable(self) -> None:
        if self._over:
            return
        try:
            data = self._connection.read() if self._has_buffers else os.read(self._fd, READ_BYTES)
            now = self._now
            self._heard_at = now()
            if self._is_between_chunks:
                at = data.find(b"\r\n", 0, _MAX_SIZE_DIGITS)
                size = len(data) - at - 4
                if size > 0 and data[:at] == b"%x" % size and data.endswith(b"\r\n"):
                    consume = self._consume
                    if not consume(data[at + 2 : -2]):
                        self._end(False)
                    return
            self._move(data)
            self._is_between_chunks = self._chunks.is_between_chunks
        except WOULD_BLOCK:
            return
        except Exception as error:  # handed to the greenlet that waits
            self._fail(error)
