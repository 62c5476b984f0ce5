"""What comes from a client: a head and a body, each within its bounds."""

from collections.abc import Callable
from typing import Any

import gevent
from gunicorn.http import body
from gunicorn.http.errors import LimitRequestHeaders, ParseException
from gunicorn.http.unreader import SocketUnreader

from app.server.aside import Twin
from app.server.pauses import let_others_work

# Of a request's head, the first line included. One field may be as long as
# gunicorn.conf.py says, but not all of them.
_MAX_HEAD_BYTES = 64 * 1024
# Of a chunk's size with what may stand behind it, and of the trailers.
_MAX_CHUNK_LINE_BYTES = 256
_MAX_TRAILER_BYTES = 4096


class Reader(SocketUnreader):
    """What comes from a client: bounded in a head, and never so fast that others wait.

    Where a client leaves within a body, the greenlet that reads ends: a thousand may
    leave at once, and an answer to each, which nobody reads, takes a while.
    """

    is_in_head = True
    is_left = False
    head_bytes = 0
    _has_read = False

    def __init__(self, sock: Any) -> None:
        super().__init__(sock)
        if isinstance(sock, Twin):
            self.unread(sock.head)
            sock.head = b""

    def begin_head(self) -> None:
        """Expect another request."""
        self.is_in_head = True
        self.head_bytes = 0
        self._has_read = False

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return what is there, or wait for it."""
        # A client that sends without a pause makes no read wait.
        if self._has_read:
            let_others_work()
        self._has_read = True
        try:
            data: bytes = super().chunk(size_hint)  # type: ignore[call-arg]  # newer than its types
        except ConnectionError:
            data = b""
        if not (data or self.is_in_head):
            self.is_left = True
            raise gevent.GreenletExit
        if self.is_in_head:
            self.head_bytes += len(data)
            if self.head_bytes > _MAX_HEAD_BYTES:
                raise LimitRequestHeaders("the head is too long")
        return data


class Body(body.Body):
    """A request's body, which says when it is whole; what is wrong with it is an ``OSError``."""

    def __init__(self, reader: Any, arrived: Callable[[], object]) -> None:
        super().__init__(reader)
        self._source = reader
        self._arrived = arrived
        self._is_broken = False
        self._is_chunked = isinstance(reader, body.ChunkedReader)
        if self._is_chunked:
            reader.limit_chunk_size_line = _MAX_CHUNK_LINE_BYTES
            reader.limit_trailer_section = _MAX_TRAILER_BYTES
        elif self.is_whole:
            arrived()

    @property
    def is_whole(self) -> bool:
        """Whether the connection's next byte is the next request's."""
        if self._is_chunked:
            return self._source.parser is None and not self._is_broken
        return self._source.length == 0 and not self._is_broken

    def has(self, size: int) -> bool:
        """Tell whether so many bytes of a body that says its length are here already."""
        return not self._is_chunked and self._source.unreader.buf.getbuffer().nbytes >= size

    def read(self, size: int | None = None) -> bytes:
        """Return so many bytes; fewer at the end."""
        try:
            data: bytes = super().read(size)
        except (OSError, ParseException) as error:
            self._is_broken = True
            raise OSError("the body is cut off, or not as HTTP has it") from error
        if self.is_whole:
            self._arrived()
        return data
