"""Who counts: the port, and its plain value."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Counter(NamedTuple):
    """One count, from the first that is taken of it on for ``length_s``; a limit of 0 is none."""

    name: str
    length_s: float
    limit: int = 0


class Counters(Protocol):
    """Counts by name; none ever falls below nought."""

    def take(
        self, counters: Sequence[Counter], amount: int = 1, *, all_or_none: bool = False
    ) -> Counter | None:
        """Count in one after the other, and return the first that is full.

        Those behind it are left alone, and it counts what it refuses. With
        ``all_or_none``, nothing is counted where one has not that much left.
        """
        ...

    def known(self, counter: Counter) -> tuple[int, float]:
        """Return a count and the seconds until it ends, as far as this worker knows."""
        ...
