"""What counts requests under flask-limiter: a storage and a strategy of ``limits``, its library.

``limits`` brings storages of its own. Its memory starts a thread at once, which
does not survive gunicorn's fork, and walks all counters for every request; its Redis
makes every request wait for one that hangs, and forgets all counts when it falls
back to memory.
"""

import time
from collections.abc import Sequence
from typing import Any

from limits import RateLimitItemPerSecond
from limits.storage import Storage
from limits.strategies import STRATEGIES, FixedWindowRateLimiter

from app.domain.errors import TooManyRequests
from app.limits.counters.memory import MemoryCounters
from app.limits.counters.protocol import Counter
from app.limits.counters.redis import RedisCounters

SCHEME = "perch"
STRATEGY = "perch-in-turn"


class Limit(RateLimitItemPerSecond):
    """So many hits in a window of seconds, for each of those it is counted for; 0 is no limit.

    ``refusal`` is what those are told for whom it is full.
    """

    __slots__ = ("length_s", "refusal")

    def __init__(
        self,
        name: str,
        amount: int,
        length_s: int,
        refusal: type[TooManyRequests] = TooManyRequests,
    ) -> None:
        super().__init__(amount, length_s, name)
        self.length_s = length_s
        self.refusal = refusal

    def key_for(self, *identifiers: bytes | str | float) -> str:
        """Return the name of a window, without amount and length, which an owner may change."""
        return self.counter(str(identifiers[0])).name

    def counter(self, who: str) -> Counter:
        """Return the counter of a window."""
        return Counter(f"{self.namespace}/{who}", self.length_s, self.amount)


class CounterStorage(Storage):
    """Windows as the library asks for them, each a counter of ours."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - declared by the base class

    def __init__(
        self,
        uri: str | None = None,
        wrap_exceptions: bool = False,
        *,
        counters: MemoryCounters | RedisCounters,
        **_: Any,
    ) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self.counters = counters
        self._copy = counters.copy if isinstance(counters, RedisCounters) else counters

    @property
    def base_exceptions(self) -> type[Exception]:
        """Return what a failing storage raises; none leaves this one."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count hits in the window that is open, or open one of ``expiry`` seconds."""
        counter = Counter(key, expiry)
        self.counters.take([counter], amount)
        return self._copy.known(counter)[0]

    def get(self, key: str) -> int:
        """Return the hits in the open window, as last told."""
        return self._copy.find(key)[0]

    def get_expiry(self, key: str) -> float:
        """Return when the window ends, in seconds since the Unix epoch."""
        return time.time() + self._copy.find(key)[1]

    def check(self) -> bool:
        """Return whether there is somewhere to count: always, in memory if nowhere else."""
        return True

    def reset(self) -> int:
        """Forget what this worker knows; returns how many windows there were."""
        names = [counter.name for counter in self._copy.all()]
        self._copy.forget(*names)
        return len(names)

    def clear(self, key: str) -> None:
        """Forget one key in this worker."""
        self._copy.forget(key)


class InTurn(FixedWindowRateLimiter):
    """The library's fixed windows, several of them at one asking: each would ask Redis anew."""

    storage: CounterStorage

    def hit_in_turn(self, hits: Sequence[tuple[Limit, str]]) -> tuple[Limit, str] | None:
        """Count in one window after the other, and return the first that is full."""
        counters = [limit.counter(who) for limit, who in hits]
        full = self.storage.counters.take(counters)
        return None if full is None else hits[counters.index(full)]


STRATEGIES[STRATEGY] = InTurn
