"""How often visitors may ask: every limit, and what a refused visitor is told.

flask-limiter holds the storage. Its decorators run inside a view, and the
original service counts before the key, so what is counted is decided here.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from flask import Flask
from flask_limiter import Limiter

from app.bus.redis_connection import RedisLink
from app.domain.errors import DailyLimitReached, SendingTooFast, TooManyRequests, TooManySessions
from app.limits.storage import MEMORY, REDIS, CountStorage, Window
from app.settings import Settings

_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = 86_400
# A body comes with its head, or right behind it. Whoever lets so many wait at
# once does not mean to send them.
MAX_WAITING_BODIES = 32
_BODY_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Limit:
    """So many hits in a window, for each of those it is counted for; 0 is no limit."""

    name: str
    amount: int
    length_s: int
    refusal: type[TooManyRequests]

    def window(self, who: str) -> Window:
        """Return one counter of this limit."""
        return Window(f"{self.name}/{who}", self.length_s, self.amount)


class WaitingBodies:
    """Counts the bodies that are on their way to this process, by client."""

    def __init__(self) -> None:
        self._by_client: Counter[str] = Counter()

    @contextmanager
    def wait(self, client: str) -> Iterator[None]:
        """Wait for a body within.

        Raises:
            TooManyRequests: the client lets too many wait already.
        """
        if self._by_client[client] >= MAX_WAITING_BODIES:
            raise TooManyRequests(retry_after_s=_BODY_RETRY_S)
        self._by_client[client] += 1
        try:
            yield
        finally:
            self._by_client[client] -= 1
            if not self._by_client[client]:
                del self._by_client[client]


class Limits:
    """Counts what visitors do, and raises where it was too much."""

    def __init__(self, storage: CountStorage, settings: Settings) -> None:
        self.bodies = WaitingBodies()
        self._storage = storage
        # The original's, in whole seconds; as the original rounds them.
        window_s = -(-settings.rate_limit_window_ms // 1000)
        self._chats = Limit("chat", settings.rate_limit_max_requests, window_s, TooManyRequests)
        self._session_minute = Limit(
            "session-minute", settings.limit_session_per_minute, _MINUTE_S, SendingTooFast
        )
        self._session_day = Limit(
            "session-day", settings.limit_session_per_day, _DAY_S, DailyLimitReached
        )
        self._ip_day = Limit("ip-day", settings.limit_ip_per_day, _DAY_S, DailyLimitReached)
        self._new_sessions = Limit(
            "new-sessions", settings.limit_new_sessions_per_hour, _HOUR_S, TooManySessions
        )

    def count_chat(self, client: str) -> None:
        """Count a request to a chat route, whatever it brings.

        Raises:
            TooManyRequests: with the original's text.
        """
        self.count((self._chats, client))

    def count_question(self, client: str, session_id: str) -> None:
        """Count a question that is about to be asked.

        Raises:
            SendingTooFast: the session's minute is full.
            DailyLimitReached: the session's or the address's day is.
        """
        self.count(
            (self._session_minute, session_id), (self._session_day, session_id),
            (self._ip_day, client),
        )  # fmt: skip

    def count_new_session(self, client: str) -> None:
        """Count a session that is about to be opened.

        Raises:
            TooManySessions: the address has opened enough.
        """
        self.count((self._new_sessions, client))

    def count(self, *hits: tuple[Limit, str]) -> None:
        """Count in one limit after the other, each for someone, up to the first that is full.

        Raises:
            TooManyRequests: the full limit's own kind of it.
        """
        windows = {limit.window(who): limit for limit, who in hits if limit.amount}
        full = self._storage.hit(tuple(windows)) if windows else None
        if full is not None:
            _, left_s = self._storage.known(full)
            raise windows[full].refusal(retry_after_s=max(1.0, left_s))

    def take_back(self, *hits: tuple[Limit, str]) -> None:
        """Undo what ``count`` has just counted."""
        for limit, who in hits:
            self._storage.incr(limit.window(who).key, limit.length_s, amount=-1)


def register(app: Flask, settings: Settings, link: RedisLink | None) -> Limits:
    """Give an application its limits."""
    limiter = Limiter(
        _no_key,
        storage_uri=f"{REDIS if link else MEMORY}://",
        storage_options={"link": link} if link else {},  # type: ignore[dict-item]
    )
    # An extension that the application knows already hooks into no request:
    # its own look-ups would cost each one 100 µs, and find nothing.
    app.extensions.setdefault("limiter", set()).add(limiter)
    limiter.init_app(app)
    return Limits(cast(CountStorage, limiter.storage), settings)


def _no_key() -> str:
    raise AssertionError("flask-limiter counts nothing by itself here")
