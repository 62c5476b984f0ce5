"""Any store, with every call of it timed."""

import time
from collections.abc import Callable
from typing import Any, Protocol, cast

from app.domain.errors import StorageUnavailable
from app.storage.protocol import ConversationStore

_CALLS = frozenset(name for name in vars(ConversationStore) if not name.startswith("_"))


class TimeCall(Protocol):
    """Takes the name of a call, its seconds, and whether the store was at fault."""

    def __call__(self, call: str, seconds: float, *, failed: bool) -> None:
        """Note one call."""
        ...


def measured(store: ConversationStore, note: TimeCall) -> ConversationStore:
    """Return a store that tells of its calls."""
    return cast(ConversationStore, _Measured(store, note))


class _Measured:
    """Stands in for a store; what the protocol does not name passes through."""

    def __init__(self, store: ConversationStore, note: TimeCall) -> None:
        self._store = store
        self._note = note

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name in _CALLS:
            found = _timed(name, found, self._note)
            setattr(self, name, found)  # asked for once
        return found


def _timed(name: str, call: Callable[..., Any], note: TimeCall) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        started_at = time.perf_counter()
        failed = False
        try:
            return call(*args, **kwargs)
        except StorageUnavailable:
            failed = True
            raise
        finally:
            note(name, time.perf_counter() - started_at, failed=failed)

    return timed
