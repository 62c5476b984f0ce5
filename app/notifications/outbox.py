"""Puts notices into the outbox that no transaction of a store leaves there.

Beside the request, which waits for nothing of it; where the store is away, again for a
while. ``key`` makes one of many.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

import gevent

from app.domain.errors import ServiceError, StorageUnavailable
from app.domain.people import NoticeType
from app.storage.people_store import PeopleStore
from app.storage.protocol import ConversationStore

log = logging.getLogger(__name__)

_PAUSES_S = (1.0, 5.0, 30.0)


class Outbox:
    """Where the parts of the service say what somebody should hear of. ``clock`` is in seconds."""

    def __init__(
        self,
        store: ConversationStore,
        people: PeopleStore,
        *,
        wake: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = gevent.sleep,
    ) -> None:
        self._store = store
        self._people = people
        self._wake = wake
        self._clock = clock
        self._sleep = sleep

    def tell_of_day(self, kind: NoticeType, assistant: str) -> None:
        """Say what is worth saying once a UTC day: of the budget, of a model that fails."""
        day = datetime.fromtimestamp(self._clock(), UTC).date().isoformat()
        key = f"{kind}:{assistant}:{day}"
        self._later(lambda: self._people.put_notice(kind, assistant, key=key))

    def tell_of_feedback(self, session_id: str, message_id: str, rating: str) -> None:
        """Say that a visitor rated an answer."""
        key = f"feedback.created:{message_id}:{rating}"

        def put() -> None:
            thread = self._store.read_session(session_id, limit=1)
            if thread is not None:
                told = thread.conversation
                self._people.put_notice(
                    "feedback.created", told.assistant, told.id, message_id, key=key
                )

        self._later(put)

    def _later(self, put: Callable[[], None]) -> None:
        gevent.spawn(self._put, put)

    def _put(self, put: Callable[[], None]) -> None:
        for pause_s in (*_PAUSES_S, None):
            try:
                put()
            except StorageUnavailable as error:
                if pause_s is None:
                    log.error("A notice was lost: %s", error.__cause__ or error)
                    return
                self._sleep(pause_s)
            except ServiceError:  # deleted meanwhile
                return
            except Exception:
                log.exception("A notice failed unexpectedly")
                return
            else:
                self._wake()
                return
