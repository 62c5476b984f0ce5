"""Where rate limits are counted: fixed windows in memory, or in a shared Redis.

``limits``, the library under flask-limiter, brings storages of its own. Its
memory starts a thread at once, which does not survive gunicorn's fork, and
walks all counters for every request; its Redis makes every request wait for
one that hangs, and forgets all counts when it falls back to memory.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from limits.storage import Storage

from app.bus.redis_connection import RedisAway, RedisLink

MEMORY = "perch-memory"
REDIS = "perch-redis"
# Of each length; past it the window that ends first is forgotten. About 20 MB.
MAX_WINDOWS = 100_000
# The tag in braces keeps all keys on one node of a Redis Cluster.
_REDIS_PREFIX = "{perch}:limit:"

# For each key: the window in ms, the limit, and what the asking worker knows
# of the window, hits and ms left: a Redis that lost its data learns it again.
_HIT = """
local amount, told = tonumber(ARGV[1]), {}
for i, key in ipairs(KEYS) do
  local window, limit = tonumber(ARGV[4 * i - 2]), tonumber(ARGV[4 * i - 1])
  local known, left = tonumber(ARGV[4 * i]), tonumber(ARGV[4 * i + 1])
  local hits = redis.call('INCRBY', key, amount)
  if hits < known + amount then
    hits = redis.call('INCRBY', key, known + amount - hits)
  end
  local ends = redis.call('PTTL', key)
  if ends < 0 then
    ends = known > 0 and left or window
    redis.call('PEXPIRE', key, ends)
  end
  told[#told + 1] = hits
  told[#told + 1] = ends
  if hits > limit then break end
end
return told
"""


@dataclass(frozen=True, slots=True)
class Window:
    """One counter: ``limit`` hits in ``length_s`` from the first one on."""

    key: str
    length_s: float
    limit: int = 2**53


class WindowStorage(Storage):
    """Windows of this process, gone with it."""

    STORAGE_SCHEME = [MEMORY]  # noqa: RUF012 - declared by the base class

    def __init__(
        self,
        uri: str | None = None,
        wrap_exceptions: bool = False,
        clock: Callable[[], float] = time.monotonic,
        **_: Any,
    ) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._clock = clock
        # By length, because windows of one length end in the order of their making.
        self._lengths: dict[float, dict[str, tuple[float, int]]] = {}

    @property
    def base_exceptions(self) -> type[Exception]:
        """Return what a failing storage raises; memory does not fail."""
        return ValueError

    def hit(self, windows: Sequence[Window]) -> Window | None:
        """Count in one window after the other, and return the first that is full."""
        for window in windows:
            if self.incr(window.key, window.length_s) > window.limit:
                return window
        return None

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count hits in the window that is open, or open one of ``expiry`` seconds."""
        now = self._clock()
        windows = self._lengths.setdefault(expiry, {})
        ends_at, hits = windows.get(key, (now, 0))
        if ends_at <= now:
            windows.pop(key, None)
            ends_at, hits = now + expiry, 0
            self._forget_ended(windows, now)
        windows[key] = (ends_at, hits + amount)
        return hits + amount

    def note(self, window: Window, hits: int, left_s: float) -> None:
        """Take over what a shared storage counted."""
        now = self._clock()
        windows = self._lengths.setdefault(window.length_s, {})
        if window.key not in windows:
            self._forget_ended(windows, now)
        windows[window.key] = (now + left_s, hits)

    def known(self, window: Window) -> tuple[int, float]:
        """Return the hits of an open window and the seconds that are left of it."""
        ends_at, hits = self._lengths.get(window.length_s, {}).get(window.key, (0.0, 0))
        left_s = ends_at - self._clock()
        return (hits, left_s) if left_s > 0 else (0, 0.0)

    def get(self, key: str) -> int:
        """Return the hits in the open window."""
        return self._find(key)[1]

    def get_expiry(self, key: str) -> float:
        """Return when the window ends, in seconds since the Unix epoch."""
        return time.time() + max(0.0, self._find(key)[0] - self._clock())

    def check(self) -> bool:
        """Return whether the storage works: always."""
        return True

    def reset(self) -> int:
        """Forget all; returns how many windows there were."""
        count = sum(map(len, self._lengths.values()))
        self._lengths.clear()
        return count

    def clear(self, key: str) -> None:
        """Forget one key."""
        for windows in self._lengths.values():
            windows.pop(key, None)

    def _find(self, key: str) -> tuple[float, int]:
        now = self._clock()
        found = (windows[key] for windows in self._lengths.values() if key in windows)
        return next((each for each in found if each[0] > now), (0.0, 0))

    def _forget_ended(self, windows: dict[str, tuple[float, int]], now: float) -> None:
        # Two for each that is made: the dictionary shrinks, and nobody waits for it.
        for _ in range(2):
            first = next(iter(windows), None)
            if first is None or (windows[first][0] > now and len(windows) < MAX_WINDOWS):
                return
            del windows[first]


class RedisWindowStorage(Storage):
    """Windows shared by all workers, and continued in memory while Redis is away.

    This worker keeps a copy of every count it was told. It goes on from
    there when Redis does not answer, and tells it to a Redis that forgot:
    no outage opens a limit.
    """

    STORAGE_SCHEME = [REDIS]  # noqa: RUF012 - declared by the base class

    def __init__(
        self, uri: str | None = None, wrap_exceptions: bool = False, *, link: RedisLink, **_: Any
    ) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._link = link
        self._ask = link.script(_HIT)
        self._memory = WindowStorage()

    @property
    def base_exceptions(self) -> type[Exception]:
        """Return what a failing storage raises; none leaves this one."""
        return RedisAway

    def hit(self, windows: Sequence[Window]) -> Window | None:
        """Count in one window after the other, and return the first that is full."""
        try:
            return self._hit(windows, 1)
        except RedisAway:
            return self._memory.hit(windows)

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count hits in the window that is open, or open one of ``expiry`` seconds."""
        window = Window(key, expiry)
        try:
            self._hit([window], amount)
        except RedisAway:
            return self._memory.incr(key, expiry, amount)
        return self._memory.known(window)[0]

    def known(self, window: Window) -> tuple[int, float]:
        """Return the hits of an open window and the seconds left, as last told."""
        return self._memory.known(window)

    def get(self, key: str) -> int:
        """Return the hits in the open window, as last told."""
        return self._memory.get(key)

    def get_expiry(self, key: str) -> float:
        """Return when the window ends, in seconds since the Unix epoch."""
        return self._memory.get_expiry(key)

    def check(self) -> bool:
        """Return whether Redis answers."""
        return not self._link.is_away

    def reset(self) -> int:
        """Forget what this worker knows; Redis forgets by itself."""
        return self._memory.reset()

    def clear(self, key: str) -> None:
        """Forget one key in this worker."""
        self._memory.clear(key)

    def _hit(self, windows: Sequence[Window], amount: int) -> Window | None:
        arguments: list[str | int | float] = [amount]
        for window in windows:
            hits, left_s = self._memory.known(window)
            # At least a millisecond: Redis deletes a key that ends now.
            left_ms = max(1, round(left_s * 1000))
            arguments += (round(window.length_s * 1000), window.limit, hits, left_ms)
        told = self._ask([self._name(window) for window in windows], arguments)
        counts = list(zip(windows, told[::2], told[1::2], strict=False))
        for window, hits, left_ms in counts:
            self._memory.note(window, hits, left_ms / 1000)
        window, hits, _ = counts[-1]
        return window if hits > window.limit else None

    def _name(self, window: Window) -> str:
        kind, _, who = window.key.partition("/")
        return f"{_REDIS_PREFIX}{kind}/{self._link.hide(who)}"


CountStorage = WindowStorage | RedisWindowStorage
