"""Counts in a Redis that all workers share, and go on from in memory while it is away."""

import collections
import secrets
from collections.abc import Sequence
from pathlib import Path

from app.bus.redis_connection import Argument, RedisAway, RedisLink
from app.limits.counters.memory import MemoryCounters
from app.limits.counters.protocol import Counter

# The tag in braces keeps all keys on one node of a Redis Cluster.
_PREFIX = "{perch}:"
_TAKE, _TELL = (Path(__file__).with_name(name).read_text() for name in ("take.lua", "tell.lua"))


class BookUnknown(Exception):
    """Redis has not the book that this worker knows; ``tell`` it, and take again."""


class RedisCounters:
    """A ``Counters`` whose every worker keeps a copy of what it was told.

    It goes on from there when Redis does not answer, and tells it to a Redis
    that forgot: no outage opens a limit.

    Without a ``book`` each counter is a key that ends by itself, and of what is known in
    different places the highest counts. A book is one hash of counters that also
    fall, so there it is kept in mind what Redis was not told.
    """

    def __init__(self, link: RedisLink, book: str = "") -> None:
        self.copy = MemoryCounters(most=float("inf")) if book else MemoryCounters()
        self._link = link
        self._take = link.script(_TAKE)
        self._tell = link.script(_TELL)
        self._book = book and _PREFIX + book
        self._epoch = ""
        self._is_told = not book
        self._owed: collections.Counter[str] = collections.Counter()

    def take(
        self, counters: Sequence[Counter], amount: int = 1, *, all_or_none: bool = False
    ) -> Counter | None:
        """Count in one after the other, and return the first that is full."""
        try:
            return self.take_shared(counters, amount, all_or_none=all_or_none)
        except RedisAway:
            return self.take_alone(counters, amount, all_or_none=all_or_none)

    def known(self, counter: Counter) -> tuple[int, float]:
        """Return a count and the seconds left of it, as last told."""
        return self.copy.known(counter)

    def take_shared(
        self, counters: Sequence[Counter], amount: int, *, all_or_none: bool
    ) -> Counter | None:
        """Count in Redis, see ``take``.

        Raises:
            RedisAway: nobody knows whether it was counted.
            BookUnknown: it was not.
        """
        if not self._is_told:
            raise BookUnknown
        arguments: list[Argument] = [amount, "all" if all_or_none else "each", self._epoch]
        for counter in counters:
            count, left_s = (0, 0.0) if self._book else self.copy.known(counter)
            field = self._name(counter) if self._book else ""
            # At least a millisecond: Redis deletes a key that ends now.
            left_ms = max(1, round(left_s * 1000))
            arguments += (field, counter.limit, round(counter.length_s * 1000), count, left_ms)
        place, *told = self._take([self._key(counter) for counter in counters], arguments)
        if place < 0:
            self._is_told = False
            raise BookUnknown
        full = counters[place - 1] if place else None
        seen = [full] if full and all_or_none else counters
        for counter, count, left_ms in zip(seen, told[::2], told[1::2], strict=False):
            self.copy.put(counter, count, left_ms / 1000 or counter.length_s)
        return full

    def take_alone(
        self, counters: Sequence[Counter], amount: int, *, all_or_none: bool
    ) -> Counter | None:
        """Count in this worker's copy, see ``take``; a book is told of it later."""
        full = self.copy.take(counters, amount, all_or_none=all_or_none)
        if self._book and full is None:
            self._is_told = False
            self._owed.update({counter.name: amount for counter in counters})
        return full

    def tell(self, length_s: float) -> None:
        """Tell the book all that this worker knows, and make one of a length where there is none.

        Raises:
            RedisAway: it is told later.
        """
        arguments: list[Argument] = [self._epoch, secrets.token_hex(8), round(length_s * 1000)]
        owed, self._owed = self._owed, collections.Counter()
        for counter in self.copy.all():
            known, _ = self.copy.known(counter)
            arguments += (self._name(counter), known, owed[counter.name])
        try:
            self._epoch = self._tell([self._book], arguments)
        except RedisAway:
            self._owed.update(owed)
            raise
        self._is_told = True

    def _key(self, counter: Counter) -> str:
        return self._book or f"{_PREFIX}limit:{self._name(counter)}"

    def _name(self, counter: Counter) -> str:
        kind, separator, who = counter.name.partition(":" if self._book else "/")
        return f"{kind}{separator}{self._link.hide(who)}" if who else kind
