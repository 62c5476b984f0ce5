"""The fast path: a response's bytes move in gevent's hub while its greenlet sleeps.

A greenlet switch costs about as much as everything else a token needs, so
the hub's own watcher reads, parses and hands over, and wakes the greenlet only
at the end. ``Exchange.read`` is the plain twin; tests hold both to the same
bytes.

What a token passes through is one function, which holds what it needs: among
a thousand streams, each object on the way is a cold one.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gevent
from gevent.hub import Waiter

from app.http_client.connection import READ_BYTES, WOULD_BLOCK, Connection
from app.http_client.failures import ClosedWhileIdle, HttpBroken, HttpTimeout, name_failure

if TYPE_CHECKING:
    from app.http_client.exchange import Exchange

# How many reads one wake-up may take, so that one fast server cannot keep
# the hub from the other streams.
_MAX_READS_A_WAKE = 16
_MAX_SIZE_DIGITS = 8
_LINGER_S = 1.0

Silence = float | Callable[[], float]
"""How long, in seconds, no byte may come."""


class Pump:
    """Moves one response's bytes, from ``run`` until it returns."""

    __slots__ = (
        "_connection",
        "_consume",
        "_exchange",
        "_fd",
        "_heard_at",
        "_is_between_chunks",
        "_loop",
        "_now",
        "_over",
        "_read_timeout_s",
        "_silence_s",
        "_timer",
        "_waiter",
    )

    def __init__(
        self,
        exchange: "Exchange",
        connection: Connection,
        consume: Callable[[bytes], bool],
        read_timeout_s: float,
        silence_s: Silence | None = None,
    ) -> None:
        self._exchange = exchange
        self._connection = connection
        self._consume = consume
        self._read_timeout_s = read_timeout_s
        self._silence_s = read_timeout_s if silence_s is None else silence_s
        self._loop: Any = gevent.get_hub().loop
        self._now: Callable[[], float] = self._loop.now
        self._heard_at = self._now()
        self._fd = connection.fd
        self._is_between_chunks = exchange.is_between_chunks
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

    def _on_readable(self, read: Callable[[], bytes] | None = None) -> None:
        """Move what one read brings; the watcher comes again while there is more."""
        if self._over:
            return
        try:
            data = os.read(self._fd, READ_BYTES) if read is None else read()
            now = self._now
            self._heard_at = now()
            if self._is_between_chunks:
                # Most reads bring one whole chunk. As it begins and ends here, the
                # parser, which stays between chunks, need not see it.
                at = data.find(b"\r\n", 0, _MAX_SIZE_DIGITS)
                size = len(data) - at - 4
                if size > 0 and data[:at] == b"%x" % size and data.endswith(b"\r\n"):
                    consume = self._consume
                    if not consume(data[at + 2 : -2]):
                        self._end(False)
                    return
            self._parse(data)
        except WOULD_BLOCK:
            return
        except Exception as error:  # handed to the greenlet that waits
            self._fail(error)

    def _parse(self, data: bytes) -> None:
        """Let the parser read, and move what it finds of the body."""
        exchange, consume = self._exchange, self._consume
        exchange.feed(data)
        self._is_between_chunks = exchange.is_between_chunks
        body = exchange.take()
        if body and not consume(body):
            self._end(exchange.ended)
        elif exchange.ended:
            self._end(True)

    def _on_buffered(self) -> None:
        """Move what is there, where the watcher does not see all of it."""
        connection = self._connection
        for _ in range(_MAX_READS_A_WAKE):
            self._on_readable(connection.read)
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
        error = name_failure(error)
        if isinstance(error, ClosedWhileIdle):
            error = HttpBroken("the connection was cut")
        self._waiter.throw(error)


class Linger:
    """Waits a second, in the hub, for the last bytes of a response that is known already.

    Most often only the body's end mark is missing; with it the connection
    can be kept, and the next turn needs no handshake.
    """

    __slots__ = ("_connection", "_exchange", "_timer")

    def __init__(self, exchange: "Exchange", connection: Connection) -> None:
        self._exchange = exchange
        self._connection = connection
        self._timer: Any = gevent.get_hub().loop.timer(_LINGER_S)
        self._timer.start(self._leave)
        connection.watcher.start(self._on_readable)
        if connection.holds_more:
            self._on_readable()

    def _on_readable(self) -> None:
        try:
            self._exchange.feed_once()
            while self._connection.holds_more and not self._exchange.ended:
                self._exchange.feed_once()
        except Exception:
            self._leave()
            return
        if self._exchange.ended:
            self._leave()

    def _leave(self) -> None:
        self._timer.close()
        self._connection.watcher.stop()
        self._exchange.forget_lingering()
        self._exchange.close()
