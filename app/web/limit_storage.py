"""Counters of the rate limits in this process's memory.

``limits`` brings a memory storage of its own; it starts a thread at once,
which does not survive gunicorn's fork, and walks all counters for every
request. This one walks them once a second.
"""

import time
from typing import Any

from limits.storage import Storage

SCHEME = "perch-memory"
_SWEEP_EVERY_S = 1.0


class WindowStorage(Storage):
    """Fixed windows by key; a worker's own, gone with it."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - declared by the base class

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._windows: dict[str, tuple[float, int]] = {}  # key: (ends at, hits)
        self._sweep_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        """Return what a failing storage raises; memory does not fail."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count hits in the window that is open, or open one of ``expiry`` seconds."""
        now = time.time()
        if now >= self._sweep_at:
            self._sweep(now)
        ends_at, hits = self._windows.get(key, (0.0, 0))
        if ends_at <= now:
            ends_at, hits = now + expiry, 0
        self._windows[key] = (ends_at, hits + amount)
        return hits + amount

    def get(self, key: str) -> int:
        """Return the hits in the open window."""
        ends_at, hits = self._windows.get(key, (0.0, 0))
        return hits if ends_at > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """Return when the window ends, in seconds since the Unix epoch."""
        return self._windows.get(key, (time.time(), 0))[0]

    def check(self) -> bool:
        """Return whether the storage works: always."""
        return True

    def reset(self) -> int:
        """Forget all; returns how many windows there were."""
        count = len(self._windows)
        self._windows.clear()
        return count

    def clear(self, key: str) -> None:
        """Forget one key."""
        self._windows.pop(key, None)

    def _sweep(self, now: float) -> None:
        self._sweep_at = now + _SWEEP_EVERY_S
        ended = [key for key, (ends_at, _) in self._windows.items() if ends_at <= now]
        for key in ended:
            del self._windows[key]
