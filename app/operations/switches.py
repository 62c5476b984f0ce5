"""What the owner switches off and on while the server runs.

The switches stand in the store, so that all workers of all machines see them.
"""

import time
from collections.abc import Callable

from app.domain.errors import SwitchedOff
from app.storage.cached_read import CachedRead
from app.storage.protocol import ConversationStore

# The name in the store; it stands there while the assistant is off.
OFF = "off"
# A busy worker sees a switch within the first, an idle one at its next turn.
_LOOK_EVERY_S = 2.0
_LOOK_FIRST_AFTER_S = 5.0
_RETRY_S = 60.0


class Switches:
    """The kill switch: no new turn begins while it is off."""

    def __init__(
        self,
        store: ConversationStore,
        message: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._message = message
        self._cached = CachedRead(
            store.read_switches,
            fresh_s=_LOOK_EVERY_S,
            stale_s=_LOOK_FIRST_AFTER_S,
            clock=clock,
        )

    @property
    def is_off(self) -> bool:
        """Whether the assistant is switched off.

        Raises:
            StorageUnavailable: nobody knows.
        """
        return OFF in self._cached.get()

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
        self._cached.put(self._store.read_switches())
