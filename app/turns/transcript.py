"""What a model says in one turn: kept whole, and handed to any number of readers.

Nobody who reads slowly holds up the model or another reader: each reader is a
place in the one text.
"""

import errno
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import gevent
from gevent.event import Event

# So many deltas become one text: as strings of their own they take ten times what they say.
_DELTAS_A_BLOCK = 16
# A reader who is further behind than this gets what it missed as one text.
_DELTAS_A_BLOCK_WITH_READERS = 512


class Outlet(Protocol):
    """A way to the visitor that is written to from gevent's hub, as the model speaks."""

    def send(self, tokens: Sequence[str]) -> bool:
        """Write deltas, from the hub; false when ``flush`` must do the rest."""
        ...

    def beat(self) -> None:
        """Show, from the hub, that the connection lives."""
        ...

    def flush(self) -> None:
        """Wait until all has left.

        Raises:
            OSError: the visitor takes nothing. Whoever made the outlet knows it.
        """
        ...


class Transcript:
    """The text of one turn while it is said, up to ``max_chars`` of it.

    ``first_at`` is when the first delta came, by the monotonic clock, and
    ``on_first`` hears of it. With an outlet (``attach``) deltas leave through
    it at once; a reader (``read``) takes them in its own time.
    """

    __slots__ = (
        "_block_deltas",
        "_blocks",
        "_catching_up",
        "_chars_left",
        "_is_attached",
        "_max_chars",
        "_outlet",
        "_readers",
        "_tail",
        "first_at",
        "on_first",
    )

    def __init__(self, max_chars: int) -> None:
        self.first_at: float | None = None
        self.on_first: Callable[[], None] | None = None
        self._max_chars = self._chars_left = max_chars
        # What was said: whole blocks of deltas, then the deltas since.
        self._blocks: list[str] = []
        self._block_deltas = 0
        self._tail: list[str] = []
        self._readers: list[TranscriptReader] = []
        self._outlet: Outlet | None = None
        self._is_attached = False
        self._catching_up: gevent.Greenlet[..., None] | None = None

    @property
    def text(self) -> str:
        """Everything that was said."""
        return "".join(self._blocks) + "".join(self._tail)

    @property
    def count(self) -> int:
        """How many deltas have come so far."""
        return self._block_deltas + len(self._tail)

    @property
    def is_full(self) -> bool:
        """Whether more was said than may be; what was too much is gone."""
        return self._chars_left < 0

    def receive(self, deltas: Sequence[str]) -> bool:
        """Keep deltas and hand them on; false when no more may come.

        Called from the hub, for each read of the model's socket: it never
        blocks and never raises.
        """
        if self.first_at is None:
            self.first_at = time.monotonic()
            on_first, self.on_first = self.on_first, None
            if on_first is not None:
                on_first()
        left = self._chars_left
        for delta in deltas:
            left -= len(delta)
        self._chars_left = left
        if left < 0:
            deltas = _cut(deltas, left)
        tail = self._tail
        tail.extend(deltas)
        if len(tail) >= _DELTAS_A_BLOCK:
            self._close_block()
        if self._outlet is not None and not self._outlet.send(deltas):
            self._fall_behind(self._outlet)
        for reader in self._readers:
            reader.wake()
        return left >= 0

    def attach(self, outlet: Outlet) -> None:
        """Send what comes from now on through an outlet, until ``detach`` or ``drop``."""
        self._outlet, self._is_attached = outlet, True

    def drop(self) -> None:
        """Send nothing more through the outlet, from now on; may be called from the hub."""
        self._outlet, self._is_attached = None, False

    def detach(self, patience_s: float) -> None:
        """Let go of the outlet once it has taken everything that was said.

        Raises:
            BrokenPipeError: the visitor took too long for that.
        """
        behind = self._catching_up
        try:
            if behind is not None:
                behind.join(patience_s)
                if not behind.dead:
                    raise BrokenPipeError(errno.EPIPE, "the visitor reads too slowly")
        finally:
            if behind is not None:
                behind.kill()  # whose connection it is from now on is another's business
            self.drop()

    def read(self) -> "TranscriptReader":
        """Return a reader that begins with the first word."""
        reader = TranscriptReader(self)
        self._readers.append(reader)
        return reader

    def wake(self) -> None:
        """Let all readers look: what is awaited may be over."""
        for reader in self._readers:
            reader.wake()

    def forget(self, reader: "TranscriptReader") -> None:
        """Wake a reader no more."""
        self._readers.remove(reader)

    def since(self, deltas: int, chars: int) -> tuple[Sequence[str], int, int]:
        """Return what was said after so many deltas of so many characters, and how many are all."""
        tail = self._tail
        if deltas >= self._block_deltas:
            said: Sequence[str] = tail[deltas - self._block_deltas :]
        else:
            said = ["".join(self._blocks)[chars:], *tail]
        return said, self.count, self._max_chars - max(0, self._chars_left)

    def _close_block(self) -> None:
        tail = self._tail
        if not self._readers or len(tail) >= _DELTAS_A_BLOCK_WITH_READERS:
            self._block_deltas += len(tail)
            self._blocks.append("".join(tail))
            tail.clear()

    def _fall_behind(self, outlet: Outlet) -> None:
        reader = self.read()
        reader.take()  # the outlet has these
        self._outlet = None
        self._catching_up = gevent.spawn(self._catch_up, outlet, reader)

    def _catch_up(self, outlet: Outlet, reader: "TranscriptReader") -> None:
        try:
            outlet.flush()
            while tokens := reader.take():
                outlet.send(tokens)
                outlet.flush()
            if self._is_attached:
                self._outlet = outlet
        except OSError:
            self.drop()
        finally:
            reader.close()
            self._catching_up = None


class TranscriptReader:
    """One reader's place in a transcript; close it."""

    __slots__ = ("_chars", "_deltas", "_transcript", "_woken")

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._woken = Event()
        self._deltas = self._chars = 0

    def take(self) -> Sequence[str]:
        """Return the deltas that came since the last time; those of long ago as one."""
        said, self._deltas, self._chars = self._transcript.since(self._deltas, self._chars)
        return said

    def wait(self, timeout_s: float) -> bool:
        """Wait until there is something to look at; false when there is not in time."""
        woken = self._woken.wait(timeout_s)
        self._woken.clear()
        return bool(woken)

    def wake(self) -> None:
        """Let the reader look."""
        self._woken.set()

    def close(self) -> None:
        """Read no more."""
        self._transcript.forget(self)


def _cut(deltas: Sequence[str], left: int) -> Sequence[str]:
    """Return what of the last deltas is within the limit, which they passed by ``-left``."""
    whole = "".join(deltas)
    return [whole[: max(0, len(whole) + left)]]
