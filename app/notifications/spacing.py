"""Keeps what one person is told apart: once for each unread stretch, and not too often.

It is noted in the store, so that a restart, or another machine, goes by it: as a revoked token
(``ConversationStore.revoke``), for the store forgets those by itself after two days. Where the
store is away just then, this process remembers it.
"""

from collections.abc import Callable

from app.domain.errors import StorageUnavailable
from app.notifications.delivery import NotYet
from app.storage.protocol import ConversationStore

# In how many steps a time is noted: what must lie ``apart_ms`` apart lies at most a step more.
_STEPS = 3
_MAX_REMEMBERED = 1000


class Spacing:
    """What one target was told of each conversation. ``clock`` is in ms since the Unix epoch."""

    def __init__(
        self, store: ConversationStore, target: str, apart_ms: int, clock: Callable[[], int]
    ) -> None:
        self._store = store
        self._target = target
        self._step_ms = apart_ms // _STEPS
        self._clock = clock
        self._remembered: dict[str, None] = {}

    def was_told(self, conversation_id: str, stretch: str) -> bool:
        """Tell whether an unread stretch was told of; its first message names it."""
        return self._is_noted(self._name(conversation_id, stretch))

    def wait(self, conversation_id: str) -> None:
        """Return when enough time has passed since something was told.

        Raises:
            NotYet: it has not.
        """
        step = self._clock() // self._step_ms
        for back in range(_STEPS + 1):
            if self._is_noted(self._name(conversation_id, f"@{step - back}")):
                raise NotYet((step - back + _STEPS + 1) * self._step_ms)

    def note(self, conversation_id: str, stretch: str | None) -> None:
        """Note that something was told now, of a stretch where there is one."""
        step = self._clock() // self._step_ms
        if stretch is not None:
            self._note(self._name(conversation_id, stretch))
        self._note(self._name(conversation_id, f"@{step}"))

    def _note(self, name: str) -> None:
        try:
            self._store.revoke(name)
        except StorageUnavailable:  # what was told is told, noted or not
            self._remembered[name] = None
            if len(self._remembered) > _MAX_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]

    def _is_noted(self, name: str) -> bool:
        return name in self._remembered or self._store.is_revoked(name)

    def _name(self, conversation_id: str, what: str) -> str:
        return f"told:{self._target}:{conversation_id}:{what}"
