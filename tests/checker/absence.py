"""How long models went on with answers that nobody read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from tests.checker.ledger import Asked, Reading

LATE_S = 1.0
_NEVER = float("inf")


class Written(Protocol):
    """One request to the model, by the monotonic clock; ``ended_at`` is none while it runs."""

    came_at: float
    ended_at: float | None


def unread_s(readings: Sequence[Reading], request: Written, now: float) -> float:
    """Return the longest stretch of a request to the model in which its turn had no reader."""
    ended_at = now if request.ended_at is None else request.ended_at
    return max(
        (min(end, ended_at) - max(begin, request.came_at) for begin, end in _gaps(readings)),
        default=0.0,
    )


def overdue_s(
    asked: Iterable[Asked], written: Mapping[str, Sequence[Written]], now: float
) -> Iterator[tuple[Asked, float]]:
    """Yield by how much each question that was left was written beyond its grace.

    ``written`` are the requests to the model, by their question.
    """
    for each in asked:
        for request in written.get(each.content, ()):
            left_s = unread_s(each.readings, request, now)
            if left_s > each.grace_s:
                yield each, left_s - each.grace_s


def _gaps(readings: Sequence[Reading]) -> Iterator[tuple[float, float]]:
    left_at = _NEVER
    for each in sorted(readings, key=lambda reading: reading.came_at):
        if left_at < each.came_at:
            yield left_at, each.came_at
        left_at = each.left_at if left_at == _NEVER else max(left_at, each.left_at)
    if left_at < _NEVER:
        yield left_at, _NEVER
