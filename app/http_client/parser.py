"""A response as its bytes say it: no socket, no clock, nothing waits (sans-IO).

Source: RFC 9112; llhttp (``httptools``) reads the syntax.
"""

from enum import Enum

import httptools

from app.http_client.failures import ClosedWhileIdle, HttpBroken

_MAX_HEAD_BYTES = 65_536
_FRAMING = (b"content-length", b"transfer-encoding")
_FRAMING_SIZES = tuple(map(len, _FRAMING))

Headers = list[tuple[bytes, bytes]]


class Part(Enum):
    """Which part of a response comes next."""

    HEAD = "head"
    BODY = "body"
    NOTHING = "nothing"


class ResponseParser:
    """Reads one response: ``feed`` it what was read, ``take`` the body's bytes.

    ``status`` is 0 while the head is not whole; ``headers`` may be cleared by
    whoever needs them no more. ``keeps_connection`` is known at the end. What
    follows the end is no answer to anything that was asked: it is dropped, and
    the connection is not kept.
    """

    __slots__ = (
        "_got_bytes",
        "_head_bytes",
        "_is_framed",
        "_llhttp",
        "headers",
        "keeps_connection",
        "part",
        "pieces",
        "status",
    )

    def __init__(self) -> None:
        # Holds what it calls: dropped at the response's end, it needs no garbage collection.
        self._llhttp: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self.part = Part.HEAD
        self.status = 0
        self.headers: Headers = []
        # Of the body, parsed and not yet taken.
        self.pieces: list[bytes] = []
        self.keeps_connection = False
        self._is_framed = False
        self._got_bytes = False
        self._head_bytes = 0

    def feed(self, data: bytes) -> None:
        """Parse what was read; ``b""`` is the connection's end.

        Raises:
            HttpBroken: what came is not HTTP, or the response is not whole.
            ClosedWhileIdle: the connection ended without a byte.
        """
        if not data:
            self._end_with_connection()
            return
        if self._llhttp is None:  # what follows the end
            self.keeps_connection = False
            return
        self._got_bytes = True
        if not self.status:
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES:
                raise HttpBroken("the response's head is too large")
        try:
            self._llhttp.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise HttpBroken("what came is not HTTP") from error

    def take(self) -> bytes:
        """Return the body's bytes that were parsed and not yet taken."""
        pieces = self.pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return data

    def cut(self) -> Exception:
        """Return what it means that the connection is dead."""
        return HttpBroken("the connection was cut") if self._got_bytes else ClosedWhileIdle()

    def _end_with_connection(self) -> None:
        if not self.status or self._is_framed:
            raise self.cut()
        self._llhttp = None
        self.part = Part.NOTHING  # RFC 9112 section 6.3: such a body ends with the connection

    # Called by llhttp, in this order.

    def on_message_begin(self) -> None:
        """Note what should not be there."""
        if self.part is Part.NOTHING:
            self.keeps_connection = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header."""
        if self.part is not Part.NOTHING:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Note how the body is framed."""
        if self._llhttp is None:
            return
        status = self._llhttp.get_status_code()
        if status < 200:
            self.headers.clear()
            return
        self.status, self.part = status, Part.BODY
        self._is_framed = status in (204, 304)
        for name, _ in self.headers:
            if len(name) in _FRAMING_SIZES and name.lower() in _FRAMING:
                self._is_framed = True

    def on_body(self, data: bytes) -> None:
        """Collect a piece of the body."""
        if self.part is Part.BODY:
            self.pieces.append(data)

    def on_message_complete(self) -> None:
        """Note the end of the response."""
        if self.part is Part.BODY and self._llhttp is not None:
            self.part = Part.NOTHING
            self.keeps_connection = self._llhttp.should_keep_alive()
            self._llhttp = None
