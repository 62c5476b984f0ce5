"""Sign-ins at the dashboard that were ended before their time, on whatever machine."""

import time
from collections.abc import Callable

from app.domain.errors import StorageUnavailable
from app.storage.protocol import ConversationStore

# The operator's pages also show what is wrong with a store that is away.
_BELIEVED_S = 60.0


class EndedSignIns:
    """Asks the store for each request: few are made, and a sign-out must hold at once.

    While the store is away, a sign-in is believed that this process saw it
    vouch for within the last minute.
    """

    def __init__(
        self, store: ConversationStore, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._clock = clock
        # By id, the latest last.
        self._seen_at: dict[str, float] = {}

    def end(self, sign_in_id: str) -> None:
        """End a sign-in, copies of its cookie included.

        Raises:
            StorageUnavailable: it may go on.
        """
        self._store.revoke(sign_in_id)
        self._seen_at.pop(sign_in_id, None)

    def includes(self, sign_in_id: str) -> bool:
        """Tell whether a sign-in was ended.

        Raises:
            StorageUnavailable: nobody knows.
        """
        seen_at = self._seen_at.pop(sign_in_id, float("-inf"))
        now = self._clock()
        try:
            is_ended = self._store.is_revoked(sign_in_id)
        except StorageUnavailable:
            if now - seen_at > _BELIEVED_S:
                raise
            self._seen_at = {sign_in_id: seen_at, **self._seen_at}
            return False
        if not is_ended:
            self._note(sign_in_id, now)
        return is_ended

    def _note(self, sign_in_id: str, now: float) -> None:
        self._seen_at[sign_in_id] = now
        oldest = next(iter(self._seen_at))
        if now - self._seen_at[oldest] > _BELIEVED_S:
            del self._seen_at[oldest]
