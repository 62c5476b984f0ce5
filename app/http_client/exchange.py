"""One request on its connection, and the response as it comes in."""

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from app.http_client.connection import WOULD_BLOCK, Connection
from app.http_client.failures import ClosedWhileIdle, HttpBroken, HttpTimeout
from app.http_client.linger import Linger
from app.http_client.parser import Part, ResponseParser
from app.http_client.pump import Pump, Silence
from app.http_client.shortcut import ChunkParser, ShortcutPump

_MAX_BODY_BYTES = 32 * 1024 * 1024


class Exchange:
    """One request on its connection, and the response as it comes in; close it."""

    __slots__ = (
        "_connection",
        "_deadline",
        "_give_back",
        "_head_timeout_s",
        "_lingers",
        "_parser",
        "_read_timeout_s",
        "resent",
    )

    def __init__(
        self,
        give_back: Callable[[Connection], None],
        connection: Connection,
        read_timeout_s: float,
        head_timeout_s: float,
        deadline: float | None,
        parser: ResponseParser,
    ) -> None:
        self._give_back = give_back
        self._connection: Connection | None = connection
        self._read_timeout_s = read_timeout_s
        self._head_timeout_s = head_timeout_s
        self._deadline = deadline
        self._parser = parser
        self._lingers = False
        self.resent = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def status(self) -> int:
        """The response's status; 0 before its head has come."""
        return self._parser.status

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """The response's headers."""
        return self._parser.headers

    def close(self) -> None:
        """Keep the connection if the response was read whole, else close it."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        parser = self._parser
        if parser.keeps_connection and not connection.holds_more:
            self._give_back(connection)
        elif self._lingers and parser.part is not Part.NOTHING:
            self._connection, self._lingers = connection, False
            Linger(parser, connection, self.close)
        else:
            connection.close()

    def header(self, name: str) -> str | None:
        """Return the first header of this name, in any case."""
        return find_header(self._parser.headers, name)

    def start(self, request: bytes) -> None:
        """Send the request and wait for the response's head."""
        connection = self._connected()
        try:
            connection.send_all(request, self._patience_s())
        except OSError as error:
            raise ClosedWhileIdle from error
        while not self._parser.status:
            self._read_once(connection)

    def read_all(self) -> bytes:
        """Wait for the rest of the body and return it.

        Raises:
            HttpFailure: it did not come whole, or is larger than 32 MiB.
        """
        parser = self._parser
        pieces, size, seen = parser.pieces, 0, 0
        while True:
            for piece in pieces[seen:]:
                size += len(piece)
            seen = len(pieces)
            if size > _MAX_BODY_BYTES:
                raise HttpBroken("the response is too large")
            if parser.part is Part.NOTHING:
                return parser.take()
            self._read_once(self._connected())

    def linger(self) -> None:
        """Let ``close`` wait a second, in the hub, for an end that is all but here."""
        self._lingers = True

    def forget_headers(self) -> None:
        """Free what a long response would hold to its end."""
        self._parser.headers.clear()

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
        parser = self._parser
        if parser.pieces and not consume(parser.take()):
            return False
        if parser.part is Part.NOTHING:
            return True
        connection, read_timeout_s = self._connected(), self._read_timeout_s
        if isinstance(parser, ChunkParser):
            return ShortcutPump(parser, connection, consume, read_timeout_s, silence_s).run()
        return Pump(parser, connection, consume, read_timeout_s, silence_s).run()

    def _connected(self) -> Connection:
        if self._connection is None:
            raise HttpBroken("the exchange is closed")
        return self._connection

    def _read_once(self, connection: Connection) -> None:
        """Parse what one read brings.

        Raises:
            HttpFailure, ClosedWhileIdle: see ``ResponseParser.feed``.
        """
        # Waits first: hardly ever is an answer there already.
        if not connection.holds_more:
            connection.wait_readable(self._patience_s())
        while True:
            try:
                data = connection.read()
                break
            except WOULD_BLOCK:
                connection.wait_readable(self._patience_s())
            except OSError as error:
                raise self._parser.cut() from error
        self._parser.feed(data)

    def _patience_s(self) -> float:
        patience_s = self._read_timeout_s if self._parser.status else self._head_timeout_s
        if self._deadline is None:
            return patience_s
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise HttpTimeout("the deadline has passed")
        return min(patience_s, left_s)


def find_header(headers: Sequence[tuple[bytes, bytes]], name: str) -> str | None:
    """Return the first header of this name, in any case."""
    wanted = name.lower().encode()
    for key, value in headers:
        if key.lower() == wanted:
            return value.decode("latin-1")
    return None
