"""Something of the store that every turn depends on, looked at now and then."""

import logging
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import gevent

from app.domain.errors import StorageUnavailable
from app.domain.knowledge import StoreState
from app.storage.protocol import ConversationStore

log = logging.getLogger(__name__)

# A busy worker sees a change of state within the first, an idle one at its next turn.
_STATE_FRESH_S = 2.0
_STATE_STALE_S = 5.0

T = TypeVar("T")


class CachedRead(Generic[T]):
    """What ``look`` returned last, looked at again while anybody asks.

    Older than ``fresh_s``, it is looked at behind the asker's back; older
    than ``stale_s``, before the asker's eyes. So a busy server waits for
    nothing, and an idle one asks for nothing.
    """

    def __init__(
        self,
        look: Callable[[], T],
        *,
        fresh_s: float,
        stale_s: float = float("inf"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._fresh_s = fresh_s
        self._stale_s = stale_s
        self._clock = clock
        self._seen: T | None = None
        self._seen_at = float("-inf")
        self._is_looking = False

    def get(self) -> T:
        """Return what was seen last.

        Raises:
            StorageUnavailable: that was too long ago, or never.
        """
        age_s = self._clock() - self._seen_at
        if self._seen is None or age_s > self._stale_s:
            value = self._look()
            self.put(value)
            return value
        if age_s > self._fresh_s and not self._is_looking:
            self._is_looking = True
            gevent.spawn(self._look_quietly)
        return self._seen

    @property
    def seen(self) -> T | None:
        """What was seen last, however long ago."""
        return self._seen

    def put(self, value: T) -> None:
        """Take over what the caller just wrote."""
        self._seen = value
        self._seen_at = self._clock()

    def _look_quietly(self) -> None:
        try:
            self.put(self._look())
        except StorageUnavailable as error:
            log.warning("The store cannot be looked at: %s", error.__cause__ or error)
        finally:
            self._is_looking = False


def cache_state(
    store: ConversationStore, clock: Callable[[], float] = time.monotonic
) -> CachedRead[StoreState]:
    """Return what every turn depends on: two seconds old on a busy server, five at most."""
    return CachedRead(store.read_state, fresh_s=_STATE_FRESH_S, stale_s=_STATE_STALE_S, clock=clock)
