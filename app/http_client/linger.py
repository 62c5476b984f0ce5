"""Waiting in gevent's hub for the end of a response that is known already."""

from collections.abc import Callable
from typing import Any

import gevent

from app.http_client.connection import WOULD_BLOCK, Connection
from app.http_client.parser import Part, ResponseParser

_LINGER_S = 1.0


class Linger:
    """Waits a second for the last bytes of a response, then calls ``close``.

    Most often only the body's end mark is missing; with it the connection
    can be kept, and the next turn needs no handshake.
    """

    __slots__ = ("_close", "_connection", "_parser", "_timer")

    def __init__(
        self, parser: ResponseParser, connection: Connection, close: Callable[[], None]
    ) -> None:
        self._parser = parser
        self._connection = connection
        self._close = close
        self._timer: Any = gevent.get_hub().loop.timer(_LINGER_S)
        self._timer.start(self._leave)
        connection.watcher.start(self._on_readable)
        if connection.holds_more:
            self._on_readable()

    def _on_readable(self) -> None:
        connection, parser = self._connection, self._parser
        try:
            parser.feed(connection.read())
            while connection.holds_more and parser.part is not Part.NOTHING:
                parser.feed(connection.read())
        except WOULD_BLOCK:
            return
        except Exception:
            self._leave()
            return
        if parser.part is Part.NOTHING:
            self._leave()

    def _leave(self) -> None:
        self._timer.close()
        self._connection.watcher.stop()
        self._close()
