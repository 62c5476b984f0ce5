"""How often visitors were refused by a limit, told to the store now and then."""

import logging
from collections import Counter

import gevent
from flask import Flask, Response

from app.domain.errors import StorageUnavailable
from app.storage.protocol import ConversationStore
from app.web.current_request import current_request

log = logging.getLogger(__name__)

# An attack must cost no write for each request that it sends.
_TELL_AFTER_S = 5.0


class RefusalTally:
    """Counts refusals, and writes the sum some seconds after the first of them."""

    def __init__(self, store: ConversationStore, *, tell_after_s: float = _TELL_AFTER_S) -> None:
        self._store = store
        self.tell_after_s = tell_after_s
        self._counts: Counter[str] = Counter()
        self._is_told = True

    def count(self, assistant: str) -> None:
        """Count one of an assistant's."""
        self._counts[assistant] += 1
        if self._is_told:
            self._is_told = False
            gevent.spawn_later(self.tell_after_s, self.tell)

    def tell(self) -> None:
        """Add to the day's figures; what the store does not take waits for the next time."""
        counts, self._counts = self._counts, Counter()
        self._is_told = True
        for assistant, count in counts.items():
            try:
                self._store.add_figures({"limits_hit": count}, assistant)
            except StorageUnavailable:
                self._counts[assistant] += count
                log.warning("The day's figures lack %s refusals for now", count)


def register(app: Flask, store: ConversationStore) -> None:
    """Count the refusals of an application."""
    tally = app.extensions["refusals"] = RefusalTally(store)

    @app.after_request
    def count_refusal(response: Response) -> Response:
        if response.status_code == 429 and current_request().access.is_visitors:
            tally.count(current_request().assistant_id)
        return response
