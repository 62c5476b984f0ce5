"""A response's bytes move in gevent's hub while its greenlet sleeps.

A greenlet switch costs about as much as everything else a token needs, so
the hub's own watcher reads, parses and hands over, and wakes the greenlet only
at the end.
"""

from collections.abc import Callable
from typing import Any

import gevent
from gevent.hub import Waiter

from app.http_client.connection import WOULD_BLOCK, Connection
from app.http_client.failures import ClosedWhileIdle, HttpBroken, HttpTimeout
from app.http_client.parser import Part, ResponseParser

# How many reads one wake-up may take, so that one fast server cannot keep
# the hub from the other streams.
_MAX_READS_A_WAKE = 16

Silence = float | Callable[[], float]
"""How long, in seconds, no byte may come."""


class Pump:
    """Moves one response's bytes, from ``run`` until it returns."""

    __slots__ = (
        "_connection",
        "_consume",
        "_heard_at",
        "_loop",
        "_now",
        "_over",
        "_parser",
        "_read_timeout_s",
        "_silence_s",
        "_timer",
        "_waiter",
    )

    def __init__(
        self,
        parser: ResponseParser,
        connection: Connection,
        consume: Callable[[bytes], bool],
        read_timeout_s: float,
        silence_s: Silence | None = None,
    ) -> None:
        self._parser = parser
        self._connection = connection
        self._consume = consume
        self._read_timeout_s = read_timeout_s
        self._silence_s = read_timeout_s if silence_s is None else silence_s
        self._loop: Any = gevent.get_hub().loop
        self._now: Callable[[], float] = self._loop.now
        self._heard_at = self._now()
        self._waiter: Any = Waiter()
        self._over = False
        self._timer = self._loop.timer(min(self._patience_s(), read_timeout_s))

    def run(self) -> bool:
        """Sleep until the body's end (true) or until it is refused (false).

        Raises:
            HttpFailure: no more will come.
        """
        watcher = self._connection.watcher
        is_plain = self._connection.has_buffered is None
        watcher.start(self._on_readable if is_plain else self._on_buffered)
        self._timer.start(self._on_silence)
        try:
            if self._connection.holds_more:
                self._loop.run_callback(self._on_buffered)
            return bool(self._waiter.get())
        finally:
            self._over = True
            watcher.stop()
            self._timer.close()

    def _on_readable(self) -> None:
        """Move what one read brings; the watcher comes again while there is more."""
        if self._over:
            return
        try:
            data = self._connection.read()
            self._heard_at = self._now()
            self._move(data)
        except WOULD_BLOCK:
            return
        except Exception as error:  # handed to the greenlet that waits
            self._fail(error)

    def _move(self, data: bytes) -> None:
        """Let the parser read, and hand over what it finds of the body."""
        parser = self._parser
        parser.feed(data)
        body = parser.take()
        if body and not self._consume(body):
            self._end(parser.part is Part.NOTHING)
        elif parser.part is Part.NOTHING:
            self._end(True)

    def _on_buffered(self) -> None:
        """Move what is there, where the watcher does not see all of it."""
        connection = self._connection
        for _ in range(_MAX_READS_A_WAKE):
            self._on_readable()
            if self._over or not connection.holds_more:
                return
        self._loop.run_callback(self._on_buffered)

    def _on_silence(self) -> None:
        # The timer is not restarted at each read: that would cost more than
        # the read. It looks once a period how long the silence has been.
        left_s = self._patience_s() - (self._loop.now() - self._heard_at)
        if left_s <= 0.001:
            self._fail(HttpTimeout("the server is silent"))
            return
        self._timer.close()
        # Meanwhile the patience may have become that of the read timeout.
        self._timer = self._loop.timer(min(left_s, self._read_timeout_s))
        self._timer.start(self._on_silence)

    def _patience_s(self) -> float:
        silence_s = self._silence_s
        return silence_s() if callable(silence_s) else silence_s

    def _end(self, ended: bool) -> None:
        self._over = True
        self._waiter.switch(ended)

    def _fail(self, error: Exception) -> None:
        self._over = True
        if isinstance(error, OSError | ClosedWhileIdle):
            error = HttpBroken("the connection was cut")
        self._waiter.throw(error)
