"""How often visitors were refused by a limit, told to the store now and then."""

import logging

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
        self._count = 0
        self._is_told = True

    def count(self) -> None:
        """Count one."""
        self._count += 1
        if self._is_told:
            self._is_told = False
            gevent.spawn_later(self.tell_after_s, self.tell)

    def tell(self) -> None:
        """Add to the day's figures; what the store does not take waits for the next time."""
        count, self._count = self._count, 0
        self._is_told = True
        if not count:
            return
        try:
            self._store.add_figures({"limits_hit": count})
        except StorageUnavailable:
            self._count += count
            log.warning("The day's figures lack %s refusals for now", count)


def register(app: Flask, store: ConversationStore) -> None:
    """Count the refusals of an application."""
    tally = app.extensions["refusals"] = RefusalTally(store)

    @app.after_request
    def count_refusal(response: Response) -> Response:
        if response.status_code == 429 and current_request().access.is_visitors:
            tally.count()
        return response
