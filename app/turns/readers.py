"""How many read a turn, and how long it waits for one when nobody does."""

from collections.abc import Callable
from typing import Any

import gevent


class Readers:
    """Those who read one turn: at first the one who asked."""

    __slots__ = ("_count", "_grace_s", "_timer")

    def __init__(self, grace_s: float) -> None:
        self._count = 1
        self._grace_s = grace_s
        self._timer: Any = None

    @property
    def are_there(self) -> bool:
        """Whether somebody reads, or is going to."""
        return self._count > 0

    def join(self) -> None:
        """Note that somebody else reads, or one who had gone."""
        self._count += 1
        self.close()

    def leave(self, end: Callable[[], None]) -> None:
        """Note that one has gone; ``end`` is called when nobody reads for the grace."""
        self._count -= 1
        if self._count:
            return
        if not self._grace_s:
            end()
            return
        self._timer = gevent.get_hub().loop.timer(self._grace_s)
        self._timer.start(end)

    def close(self) -> None:
        """Wait for nobody any more."""
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None
