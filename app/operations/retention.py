"""Deletes, once a day, the conversations that the owner keeps no longer.

Every worker of every machine looks now and then whether it is time; the one
that gets the lease does it, in small batches with pauses, so that no turn
waits. When it dies, its lease ends and another goes on.
"""

import logging
import secrets
import time
from collections.abc import Callable

import gevent

from app.domain.errors import StorageUnavailable
from app.storage.protocol import ConversationStore

log = logging.getLogger(__name__)

_JOB = "retention"
_FIRST_LOOK_AFTER_S = 5.0
_LOOK_EVERY_S = 300.0
# Due a little before a day is over, so that it does not wander through the days.
_EVERY_S = 23.5 * 3600
_LEASE_S = 120.0
_RENEW_AFTER_S = 30.0
# What is left after so long is the next day's: no backlog keeps the store busy for ever.
_LONGEST_S = 3600.0
# Of the store's time, a purge takes a fifth at most.
_LEAST_PAUSE_S = 0.1
_PAUSE_SHARE = 4


class Retention:
    """Purges what was not used for ``days``.

    ``sleep`` and ``clock`` are in seconds.
    """

    def __init__(
        self,
        store: ConversationStore,
        days: int,
        *,
        sleep: Callable[[float], object] = gevent.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._days = days
        self._sleep = sleep
        self._clock = clock
        # Drawn at the first use: applications are made before the workers are forked.
        self._holder = ""

    def watch(self) -> None:
        """Do it whenever it is time; never returns."""
        self._sleep(_FIRST_LOOK_AFTER_S)
        while True:
            try:
                self.run()
            except StorageUnavailable as error:
                log.warning("The purge goes on later: %s", error.__cause__ or error)
            except Exception:  # a bug must not end the watch of a worker that lives for months
                log.exception("The purge failed unexpectedly")
            self._sleep(_LOOK_EVERY_S)

    def run(self) -> int:
        """Purge if it is time, and nobody else does; returns how many conversations that were.

        Raises:
            StorageUnavailable: the rest is for whoever looks next.
        """
        self._holder = self._holder or secrets.token_hex(8)
        if not self._has_lease():
            return 0
        begun_at = renewed_at = self._clock()
        deleted = 0
        has_more = True
        while has_more and self._clock() - begun_at < _LONGEST_S:
            asked_at = self._clock()
            if asked_at - renewed_at > _RENEW_AFTER_S:
                if not self._has_lease():
                    break
                renewed_at = asked_at
            purged = self._store.purge(unused_days=self._days)
            deleted += purged.conversations
            has_more = purged.has_more
            if has_more:
                took_s = self._clock() - asked_at
                self._sleep(max(_LEAST_PAUSE_S, _PAUSE_SHARE * took_s))
        self._store.end_job(_JOB, self._holder)
        rest = "; more are left, and it goes on tomorrow" if has_more else ""
        log.info(
            "Deleted %d conversations that were unused for %d days%s", deleted, self._days, rest
        )
        return deleted

    def _has_lease(self) -> bool:
        return self._store.begin_job(_JOB, self._holder, lease_s=_LEASE_S, every_s=_EVERY_S)
