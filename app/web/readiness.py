"""Whether turns can be served, asked of the store at most once a second."""

import time
from collections.abc import Callable

from app.domain.errors import StorageUnavailable
from app.storage.protocol import ConversationStore

# Load balancers ask often, and a store's own check may cost a synced write.
_FRESH_S = 1.0


class Readiness:
    """Remembers what the store last said."""

    def __init__(
        self, store: ConversationStore, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._clock = clock
        self._asked_at = float("-inf")
        self._said = "ok"

    def ask_store(self) -> str:
        """Return ``ok``, or the operator's sentence for what is wrong."""
        if self._clock() - self._asked_at >= _FRESH_S:
            self._asked_at = self._clock()
            try:
                self._store.ping()
                self._said = "ok"
            except StorageUnavailable as error:
                self._said = str(error)
        return self._said
