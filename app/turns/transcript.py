"""What a model says: kept, and handed on to the reader as it comes."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from gevent.event import Event

# A reader this far behind stops the model's socket from being read.
_MAX_PENDING_DELTAS = 512
# So many deltas become one text: as strings of their own they take ten times what they say.
_DELTAS_A_BLOCK = 16


class Outlet(Protocol):
    """A way to the visitor, used while the turn runs in the reader's greenlet."""

    def send(self, tokens: Sequence[str]) -> bool:
        """Write deltas, from the hub; false when ``flush`` must do the rest."""
        ...

    def beat(self) -> None:
        """Show, from the hub, that the connection lives."""
        ...

    def flush(self) -> None:
        """Wait until all has left.

        Raises:
            OSError: the visitor takes nothing.
        """
        ...


class Relay:
    """Takes deltas from the model, up to ``max_chars`` of them, and has one reader.

    While there is an ``outlet`` they leave through it at once; else they wait
    for ``take``. ``first_at`` is when the first one came, by the monotonic clock,
    and ``on_first`` hears of it.
    """

    __slots__ = (
        "_blocks",
        "_chars_left",
        "_deltas_in_blocks",
        "_pending",
        "_room",
        "_said",
        "_wake",
        "first_at",
        "on_first",
        "outlet",
    )

    def __init__(self, max_chars: int) -> None:
        self.outlet: Outlet | None = None
        self.first_at: float | None = None
        self.on_first: Callable[[], None] | None = None
        # First whole blocks of what was said, then the deltas since.
        self._said: list[str] = []
        self._blocks = 0
        self._deltas_in_blocks = 0
        self._chars_left = max_chars
        self._pending: list[str] = []
        self._wake = Event()
        self._room = Event()

    @property
    def text(self) -> str:
        """Everything that was said."""
        return "".join(self._said)

    @property
    def count(self) -> int:
        """How many deltas have come so far."""
        return self._deltas_in_blocks + len(self._said) - self._blocks

    @property
    def is_full(self) -> bool:
        """Whether more was said than may be; what was too much is gone."""
        return self._chars_left < 0

    @property
    def is_waiting(self) -> bool:
        """Whether something waits for ``take``."""
        return bool(self._pending)

    def receive(self, deltas: Sequence[str]) -> bool:
        """Keep deltas and hand them on; answers whether more may come.

        Called from the hub, for each read of the model's socket: it never
        blocks and never raises.
        """
        if self.first_at is None:
            self.first_at = time.monotonic()
            if self.on_first is not None:
                self.on_first()
        left = self._chars_left
        for delta in deltas:
            left -= len(delta)
        self._chars_left = left
        if left < 0:
            deltas = _cut(deltas, left)
        said = self._said
        said.extend(deltas)
        if len(said) - self._blocks >= _DELTAS_A_BLOCK:
            self._close_block()
        outlet = self.outlet
        if outlet is not None:
            return outlet.send(deltas) and left >= 0
        self._pending.extend(deltas)
        self._wake.set()
        return len(self._pending) < _MAX_PENDING_DELTAS and left >= 0

    def make_room(self) -> None:
        """Wait until ``receive`` may be called again.

        Raises:
            OSError: the visitor takes nothing.
        """
        if self.outlet is not None:
            self.outlet.flush()
            return
        self._room.clear()
        if len(self._pending) >= _MAX_PENDING_DELTAS:
            self._room.wait()

    def tell_again(self, text: str) -> None:
        """Let the reader have a text that was said at another time."""
        self._pending.append(text)

    def take(self) -> Sequence[str]:
        """Return the deltas that wait for the reader."""
        taken, self._pending = self._pending, []
        self._room.set()
        return taken

    def wake(self) -> None:
        """Let the reader look."""
        self._wake.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait until there is something to look at; false when there is not in time."""
        woken = self._wake.wait(timeout_s)
        self._wake.clear()
        return bool(woken)

    def _close_block(self) -> None:
        self._deltas_in_blocks += len(self._said) - self._blocks
        self._said[self._blocks :] = ["".join(self._said[self._blocks :])]
        self._blocks += 1


def _cut(deltas: Sequence[str], left: int) -> Sequence[str]:
    """Return what of the last deltas is within the limit, which they passed by ``-left``."""
    whole = "".join(deltas)
    return [whole[: max(0, len(whole) + left)]]
