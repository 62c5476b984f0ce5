"""What a day has cost by the store's account: the ground under every ledger."""

from functools import partial

from app.storage.cached_read import CachedRead
from app.storage.protocol import ConversationStore

_LOOK_EVERY_S = 10.0


class RecordedSpend:
    """The tokens that ended turns of an assistant were charged with, a few seconds ago."""

    def __init__(self, store: ConversationStore, assistant: str) -> None:
        self._store = store
        self._assistant = assistant
        self._day = ""
        self._cached = CachedRead(lambda: 0, fresh_s=_LOOK_EVERY_S)

    def __call__(self, day: str) -> int:
        """Return what is recorded of a day.

        Raises:
            StorageUnavailable: nothing was ever seen of it.
        """
        if day != self._day:
            self._day = day
            self._cached = CachedRead(partial(self._look, day), fresh_s=_LOOK_EVERY_S)
        return self._cached.get()

    def _look(self, day: str) -> int:
        return sum(
            each.charged_tokens for each in self._store.read_figures(day, day, self._assistant)
        )
