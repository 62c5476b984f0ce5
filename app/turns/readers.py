"""Who reads a turn, and how long it waits for somebody when nobody does."""

from collections.abc import Callable, Iterator
from typing import Any

import gevent

from app.domain.events import TurnEvent
from app.turns.transcript import Outlet


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


class Reader:
    """One who reads a turn without having asked it; ``on_leave`` hears once that it has gone."""

    __slots__ = ("_events", "_on_leave")

    def __init__(self, events: Iterator[TurnEvent], on_leave: Callable[[], None]) -> None:
        self._events = events
        self._on_leave: Callable[[], None] | None = on_leave

    def events(self) -> Iterator[TurnEvent]:
        """Return what happens, from the beginning to the one terminal event."""
        return self._events

    def leave(self, _outlet: Outlet | None = None) -> None:
        """Read no more; may be called from the hub, and again."""
        on_leave, self._on_leave = self._on_leave, None
        if on_leave is not None:
            on_leave()
