"""The figures of days and hours, written with what they count."""

import json
import sqlite3
from datetime import UTC, datetime

from app.domain.conversation import Rating
from app.domain.figures import Counts, DayFigures, to_figures

_ADD = (
    "INSERT INTO figures (period, name, value) VALUES (?, ?, ?)"
    " ON CONFLICT (period, name) DO UPDATE SET value = value + excluded.value"
)


def add_counts(db: sqlite3.Connection, counts: Counts, at_ms: int) -> None:
    """Add to the figures of a moment's day and hour."""
    for period in (to_day(at_ms), to_hour(at_ms)):
        _add(db, period, counts)


def add_day_counts(db: sqlite3.Connection, day: str, counts: Counts) -> None:
    """Add to the figures of a day whose hours nobody asks for any more."""
    _add(db, day, counts)


def count_visit(db: sqlite3.Connection, opened: sqlite3.Row, now: int) -> None:
    """Count a session that asks for the first time today."""
    today = to_day(now)
    if opened["seen_day"] == today:
        return
    db.execute("UPDATE conversations SET seen_day = ? WHERE key = ?", (today, opened["key"]))
    is_new = opened["seen_day"] is None and opened["uncounted_before"] is None
    add_counts(db, {"visitors": 1, **({"conversations": 1} if is_new else {})}, now)


def count_rating(
    db: sqlite3.Connection, before: Rating | None, after: Rating, answered_at: int
) -> None:
    """Count an opinion in place of an earlier one, on the day of its answer."""
    if before == after:
        return
    counts = {f"thumbs_{after}": 1}
    if before is not None:
        counts[f"thumbs_{before}"] = -1
    add_counts(db, counts, answered_at)


def read_figures(db: sqlite3.Connection, first: str, last: str) -> tuple[DayFigures, ...]:
    """Read the periods that have figures, oldest first."""
    # In the key's order, past the hours of a week at most: a visit to each
    # row from the index by length takes twice as long. The plus keeps it out.
    rows = db.execute(
        "SELECT period, json_group_object(name, value) FROM figures"
        " WHERE period BETWEEN ? AND ? AND +length(period) = ? GROUP BY period ORDER BY period",
        (first, last, len(first)),
    )
    return tuple(to_figures(period, json.loads(counts)) for period, counts in rows)


def _add(db: sqlite3.Connection, period: str, counts: Counts) -> None:
    db.executemany(_ADD, [(period, name, value) for name, value in counts.items()])


def to_day(at_ms: int) -> str:
    """Return the UTC day of a moment."""
    return to_hour(at_ms)[:10]


def to_hour(at_ms: int) -> str:
    """Return the UTC hour of a moment."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat()[:13]
