"""Counts of this process, gone with it."""

import time
from collections.abc import Callable, Sequence

from app.limits.counters.protocol import Counter

# Of each length; past it the count that ends first is forgotten. About 20 MB.
MAX_COUNTS = 100_000
# When it ends, and how many.
_NO_COUNT = (float("-inf"), 0)


class MemoryCounters:
    """A ``Counters`` in dictionaries, with no more than ``most`` of one length."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, most: float = MAX_COUNTS
    ) -> None:
        self._clock = clock
        self._most = most
        # By length, because counts of one length end in the order of their making.
        self._lengths: dict[float, dict[str, tuple[float, int]]] = {}

    def take(
        self, counters: Sequence[Counter], amount: int = 1, *, all_or_none: bool = False
    ) -> Counter | None:
        """Count in one after the other, and return the first that is full."""
        now = self._clock()
        if all_or_none:
            for counter in counters:
                ends_at, count = self._find(counter)
                if 0 < counter.limit < (count if ends_at > now else 0) + amount:
                    return counter
        for counter in counters:
            if self._add(counter, amount, now) > counter.limit > 0 and not all_or_none:
                return counter
        return None

    def add(self, counters: Sequence[Counter], amount: int) -> None:
        """Count in all of them, whatever their limits are."""
        now = self._clock()
        for counter in counters:
            self._add(counter, amount, now)

    def known(self, counter: Counter) -> tuple[int, float]:
        """Return a count and the seconds that are left of it."""
        ends_at, count = self._find(counter)
        left_s = ends_at - self._clock()
        return (count, left_s) if left_s > 0 else (0, 0.0)

    def put(self, counter: Counter, count: int, left_s: float) -> None:
        """Take over what others counted."""
        now = self._clock()
        counts = self._lengths.setdefault(counter.length_s, {})
        if counter.name not in counts:
            self._forget_ended(counts, now)
        counts[counter.name] = (now + left_s, count)

    def raise_to(self, counter: Counter, count: int) -> None:
        """Count at least so many."""
        known, left_s = self.known(counter)
        if count > known:
            self.put(counter, count, left_s or counter.length_s)

    def find(self, name: str) -> tuple[int, float]:
        """Return a count of whatever length, and the seconds that are left of it."""
        for length_s, counts in self._lengths.items():
            if name in counts:
                return self.known(Counter(name, length_s))
        return 0, 0.0

    def all(self) -> list[Counter]:
        """Return everything that is counted."""
        return [
            Counter(name, length) for length, counts in self._lengths.items() for name in counts
        ]

    def forget(self, *names: str) -> None:
        """Forget some counts."""
        for counts in self._lengths.values():
            for name in names:
                counts.pop(name, None)

    def _find(self, counter: Counter) -> tuple[float, int]:
        counts = self._lengths.get(counter.length_s)
        return (counts.get(counter.name) if counts else None) or _NO_COUNT

    def _add(self, counter: Counter, amount: int, now: float) -> int:
        name, length_s, _ = counter
        counts = self._lengths.get(length_s)
        if counts is None:
            counts = self._lengths[length_s] = {}
        ends_at, count = counts.get(name, _NO_COUNT)
        if ends_at <= now:
            counts.pop(name, None)
            ends_at, count = now + length_s, 0
            self._forget_ended(counts, now)
        count = count + amount if count > -amount else 0
        counts[name] = (ends_at, count)
        return count

    def _forget_ended(self, counts: dict[str, tuple[float, int]], now: float) -> None:
        # Two for each that is made: the dictionary shrinks, and nobody waits for it.
        for _ in range(2):
            first = next(iter(counts), None)
            if first is None or (counts[first][0] > now and len(counts) < self._most):
                return
            del counts[first]
