"""One request on its connection, and the response as it comes in."""

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import httptools

from app.http_client.connection import WOULD_BLOCK, Connection
from app.http_client.failures import ClosedWhileIdle, HttpBroken, HttpTimeout, name_failure
from app.http_client.pump import Linger, Pump, Silence

_MAX_HEAD_BYTES = 65_536
_FRAMING = (b"content-length", b"transfer-encoding")
_FRAMING_SIZES = tuple(map(len, _FRAMING))
_MAX_BODY_BYTES = 32 * 1024 * 1024


class Exchange:
    """One request on its connection, and the response as it comes in."""

    __slots__ = (
        "_connection",
        "_deadline",
        "_framed",
        "_give_back",
        "_got_bytes",
        "_head_bytes",
        "_head_timeout_s",
        "_is_in_chunk",
        "_lingers",
        "_read_timeout_s",
        "_reusable",
        "ended",
        "headers",
        "is_between_chunks",
        "parser",
        "pieces",
        "resent",
        "status",
    )

    def __init__(
        self,
        give_back: Callable[[Connection], None],
        connection: Connection,
        read_timeout_s: float,
        head_timeout_s: float,
        deadline: float | None,
    ) -> None:
        self._give_back = give_back
        self._connection: Connection | None = connection
        self._read_timeout_s = read_timeout_s
        self._head_timeout_s = head_timeout_s
        self._deadline = deadline
        self.parser = httptools.HttpResponseParser(self)
        # Of the body, parsed and not yet taken.
        self.pieces: list[bytes] = []
        self.ended = False
        # Whether the next byte begins a chunk (RFC 9112 section 7.1) after another one.
        self.is_between_chunks = False
        self._is_in_chunk = True
        self._framed = False
        self._got_bytes = False
        self._head_bytes = 0
        self._reusable = False
        self._lingers = False
        self.resent = False
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Keep the connection if the response was read whole, else close it."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self.ended and self._reusable and not connection.holds_more:
            self._give_back(connection)
        elif self._lingers and not self.ended:
            self._connection = connection
            Linger(self, connection)
        else:
            connection.close()

    def header(self, name: str) -> str | None:
        """Return the first header of this name, in any case."""
        return find_header(self.headers, name)

    def start(self, request: bytes) -> None:
        """Send the request and wait for the response's head."""
        connection = self._connected()
        try:
            connection.send_all(request, self._patience_s())
        except OSError as error:
            raise ClosedWhileIdle from error
        while not self.status:
            self._read_once()

    def read_all(self) -> bytes:
        """Wait for the rest of the body and return it.

        Raises:
            HttpFailure: it did not come whole, or is larger than 32 MiB.
        """
        size = sum(map(len, self.pieces))
        while not self.ended:
            before = len(self.pieces)
            self._read_once()
            size += sum(map(len, self.pieces[before:]))
            if size > _MAX_BODY_BYTES:
                raise HttpBroken("the response is too large")
        return b"".join(self.pieces)

    def read(self) -> bytes:
        """Wait for the next piece of the body; ``b""`` is its end.

        Raises:
            HttpFailure: no more will come.
        """
        while not self.pieces and not self.ended:
            self._read_once()
        return self.take()

    def forget_lingering(self) -> None:
        """Let ``close`` close at once again."""
        self._lingers = False

    def linger(self) -> None:
        """Let ``close`` wait a second, in the hub, for an end that is all but here."""
        self._lingers = True

    def forget_headers(self) -> None:
        """Free what a long response would hold to its end."""
        self.headers.clear()

    def pump(self, consume: Callable[[bytes], bool], silence_s: Silence | None = None) -> bool:
        """Hand the body over, piece by piece, from gevent's hub.

        ``consume`` must neither block nor raise; a false answer pauses the
        pump. The calling greenlet sleeps meanwhile: a token costs no switch.
        ``silence_s`` replaces the read timeout; as a function it may change
        meanwhile, and is asked at least once a read timeout. Returns true at the end of
        the body, false when paused.

        Raises:
            HttpFailure: no more will come.
        """
        if self.pieces and not consume(self.take()):
            return False
        if self.ended:
            return True
        return Pump(self, self._connected(), consume, self._read_timeout_s, silence_s).run()

    def feed_once(self) -> bool:
        """Parse what one read brings; false when nothing was there.

        Raises:
            HttpBroken: the connection was cut, or what came is not HTTP.
        """
        try:
            self.feed(self._connected().read())
        except WOULD_BLOCK:
            return False
        except OSError as error:
            raise self._cut() from error
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise name_failure(error) from error
        return True

    def feed(self, data: bytes) -> None:
        """Parse what was read; ``b""`` is the connection's end.

        Raises:
            HttpBroken, ClosedWhileIdle: the response is not whole.
            httptools.HttpParserError: what came is not HTTP.
        """
        if not data:
            self.end_with_connection()
            return
        self._got_bytes = True
        if not self.status:
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES:
                raise HttpBroken("the response's head is too large")
        self.parser.feed_data(data)
        # A size that has only half come ends otherwise.
        self.is_between_chunks = not self._is_in_chunk and data.endswith(b"\n")

    def take(self) -> bytes:
        """Return the body's bytes that were parsed and not yet taken."""
        pieces = self.pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return data

    def _connected(self) -> Connection:
        if self._connection is None:
            raise HttpBroken("the exchange is closed")
        return self._connection

    def _read_once(self) -> None:
        # Waits first: hardly ever is an answer there already.
        if not self._connected().holds_more:
            self._connected().wait_readable(self._patience_s())
        while not self.feed_once():
            self._connected().wait_readable(self._patience_s())

    def _patience_s(self) -> float:
        patience_s = self._read_timeout_s if self.status else self._head_timeout_s
        if self._deadline is None:
            return patience_s
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise HttpTimeout("the deadline has passed")
        return min(patience_s, left_s)

    def end_with_connection(self) -> None:
        """Note that no more bytes will come.

        Raises:
            HttpBroken, ClosedWhileIdle: the response is not whole.
        """
        if self.status and not self._framed:
            self.ended = True  # RFC 9112 §6.3: such a body ends with the connection
            return
        raise self._cut()

    def _cut(self) -> Exception:
        if not self._got_bytes:
            return ClosedWhileIdle()
        return HttpBroken("the connection was cut")

    # Called by the parser, in this order. What follows the response's end is
    # no answer to anything that we asked: it is dropped with its connection.

    def on_message_begin(self) -> None:
        """Note what should not be there."""
        if self.ended:
            self._reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header."""
        if self.ended:
            return
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Note how the body is framed."""
        if self.ended:
            return
        status = self.parser.get_status_code()
        if status < 200:
            self.headers.clear()
            return
        self.status = status
        self._framed = status in (204, 304) or any(
            len(name) in _FRAMING_SIZES and name.lower() in _FRAMING for name, _ in self.headers
        )

    def on_body(self, data: bytes) -> None:
        """Collect a piece of the body."""
        if not self.ended:
            self.pieces.append(data)

    def on_chunk_header(self) -> None:
        """Note that a chunk has begun."""
        self._is_in_chunk = True

    def on_chunk_complete(self) -> None:
        """Note that a chunk is over."""
        self._is_in_chunk = False

    def on_message_complete(self) -> None:
        """Note the end of the response."""
        if self.status and not self.ended:
            self.ended = True
            self._reusable = self.parser.should_keep_alive()


def find_header(headers: Sequence[tuple[bytes, bytes]], name: str) -> str | None:
    """Return the first header of this name, in any case."""
    wanted = name.lower().encode()
    for key, value in headers:
        if key.lower() == wanted:
            return value.decode("latin-1")
    return None
