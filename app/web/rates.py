"""How often visitors may ask: every limit, and what a refused visitor is told.

flask-limiter counts, by a strategy and a storage of ours. Who counts when is said by
the guards and the routes, not by its hooks: ``docs/adr/0013-request-limits.md``.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Self, cast

from flask import Flask
from flask_limiter import Limiter

from app.bus.redis_connection import RedisLink
from app.domain.conversation import DEFAULT_ASSISTANT
from app.domain.errors import DailyLimitReached, SendingTooFast, TooManyRequests, TooManySessions
from app.limits.counters.memory import MemoryCounters
from app.limits.counters.redis import RedisCounters
from app.limits.storage import SCHEME, STRATEGY, InTurn, Limit
from app.settings import AssistantSettings, Settings
from app.web.current_request import current_request

_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = 86_400
# A body comes with its head, or right behind it. Whoever lets so many wait at
# once does not mean to send them.
MAX_WAITING_BODIES = 32
_BODY_RETRY_S = 1.0


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


class _Limits(NamedTuple):
    """What is counted for one assistant, apart from the others."""

    chats: Limit
    session_minute: Limit
    session_day: Limit
    ip_day: Limit
    new_sessions: Limit

    @classmethod
    def of(cls, assistant: AssistantSettings) -> Self:
        limits = assistant.limits
        # The default's are counted under the names that they had before there were others.
        end = "" if assistant.id == DEFAULT_ASSISTANT else f"@{assistant.id}"
        # The original's, in whole seconds; as the original rounds them.
        window_s = -(-limits.window_ms // 1000)
        return cls(
            Limit(f"chat{end}", limits.max_requests, window_s),
            Limit(f"session-minute{end}", limits.session_per_minute, _MINUTE_S, SendingTooFast),
            Limit(f"session-day{end}", limits.session_per_day, _DAY_S, DailyLimitReached),
            Limit(f"ip-day{end}", limits.ip_per_day, _DAY_S, DailyLimitReached),
            Limit(f"new-sessions{end}", limits.new_sessions_per_hour, _HOUR_S, TooManySessions),
        )


class Limits:
    """Counts what visitors do, and raises where it was too much."""

    def __init__(self, limiter: Limiter, assistants: Iterable[AssistantSettings]) -> None:
        self.bodies = WaitingBodies()
        self._windows = cast(InTurn, limiter.limiter)
        self._of = {each.id: _Limits.of(each) for each in assistants}

    def count_chat(self, assistant: str, client: str) -> None:
        """Count a request to a route that can begin a turn, whatever it brings.

        Raises:
            TooManyRequests: with the original's text.
        """
        self.count((self._of[assistant].chats, client))

    def count_question(self, assistant: str, client: str, session_id: str) -> None:
        """Count a question that is about to be asked.

        Raises:
            SendingTooFast: the session's minute is full.
            DailyLimitReached: the session's or the address's day is.
        """
        limits = self._of[assistant]
        self.count(
            (limits.session_minute, session_id), (limits.session_day, session_id),
            (limits.ip_day, client),
        )  # fmt: skip

    def count_new_session(self, assistant: str, client: str) -> None:
        """Count a session that is about to be opened.

        Raises:
            TooManySessions: the address has opened enough.
        """
        self.count((self._of[assistant].new_sessions, client))

    def count(self, *hits: tuple[Limit, str]) -> None:
        """Count in one limit after the other, each for someone, up to the first that is full.

        Raises:
            TooManyRequests: the full limit's own kind of it.
        """
        full = self._windows.hit_in_turn([hit for hit in hits if hit[0].amount])
        if full is not None:
            ends_at = self._windows.get_window_stats(*full).reset_time
            raise full[0].refusal(retry_after_s=max(1.0, ends_at - time.time()))

    def take_back(self, *hits: tuple[Limit, str]) -> None:
        """Undo what ``count`` has just counted."""
        for hit in hits:
            self._windows.hit(*hit, cost=-1)


def make(settings: Settings, link: RedisLink | None) -> Limits:
    """Return the limits of an application, shared where there is a Redis."""
    counters = RedisCounters(link) if link else MemoryCounters()
    limiter = Limiter(
        lambda: current_request().client_key,
        storage_uri=f"{SCHEME}://",
        storage_options={"counters": counters},  # type: ignore[dict-item]
        strategy=STRATEGY,
    )
    # One that no request passes: its hooks take 370 calls a request, all our guards 100.
    limiter.init_app(Flask(__name__))
    return Limits(limiter, settings.assistants)
