"""What the owner switches off and on while the server runs.

The switches stand in the store, so that all workers of all machines see them.
"""

from app.domain.errors import SwitchedOff
from app.domain.knowledge import StoreState
from app.storage.cached_read import CachedRead
from app.storage.protocol import ConversationStore

# The name in the store; it stands there while the assistant is off.
OFF = "off"
_RETRY_S = 60.0


class Switches:
    """The kill switch: no new turn begins while it is off."""

    def __init__(
        self,
        store: ConversationStore,
        state: CachedRead[StoreState],
        message: str | None = None,
    ) -> None:
        self._store = store
        self._state = state
        self._message = message

    @property
    def is_off(self) -> bool:
        """Whether the assistant is switched off.

        Raises:
            StorageUnavailable: nobody knows.
        """
        return OFF in self._state.get().switches

    def check(self) -> None:
        """Refuse a turn while the assistant is switched off.

        Raises:
            SwitchedOff: with the owner's words.
            StorageUnavailable: nobody knows.
        """
        if self.is_off:
            raise SwitchedOff(self._message, retry_after_s=_RETRY_S)

    def switch(self, *, off: bool) -> None:
        """Switch the assistant off, or on again; turns that run go on to their end.

        Raises:
            StorageUnavailable: it stays as it is.
        """
        self._store.set_switch(OFF, thrown=off)
        self._state.put(self._store.read_state())
