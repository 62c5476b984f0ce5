"""The figures of days and hours, written with what they count."""

import json
import sqlite3
from datetime import UTC, datetime

from app.domain.conversation import Rating
from app.domain.figures import Counts, DayFigures, to_figures

_ADD = (
    "INSERT INTO figures (period, name, assistant, value) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (period, name, assistant) DO UPDATE SET value = value + excluded.value"
)


def add_counts(db: sqlite3.Connection, assistant: str, counts: Counts, at_ms: int) -> None:
    """Add to an assistant's figures of a moment's day and hour."""
    for period in (to_day(at_ms), to_hour(at_ms)):
        add_period_counts(db, assistant, period, counts)


def add_period_counts(db: sqlite3.Connection, assistant: str, period: str, counts: Counts) -> None:
    """Add to an assistant's figures of one day, or of one hour."""
    db.executemany(_ADD, [(period, name, assistant, value) for name, value in counts.items()])


def count_visit(db: sqlite3.Connection, opened: sqlite3.Row, now: int) -> None:
    """Count a session that asks for the first time today."""
    today = to_day(now)
    if opened["seen_day"] == today:
        return
    db.execute("UPDATE conversations SET seen_day = ? WHERE key = ?", (today, opened["key"]))
    is_new = opened["seen_day"] is None and opened["uncounted_before"] is None
    counts = {"visitors": 1, **({"conversations": 1} if is_new else {})}
    add_counts(db, opened["assistant"], counts, now)


def count_rating(db: sqlite3.Connection, rated: sqlite3.Row, after: Rating) -> None:
    """Count an opinion in place of the answer's earlier one, on the day of the answer."""
    before = rated["rating"]
    if before == after:
        return
    counts = {f"thumbs_{after}": 1}
    if before is not None:
        counts[f"thumbs_{before}"] = -1
    add_counts(db, rated["assistant"], counts, rated["created_at"])


def read_figures(
    db: sqlite3.Connection, first: str, last: str, assistant: str | None
) -> tuple[DayFigures, ...]:
    """Read the periods that have figures, oldest first."""
    # In the key's order, past the hours of a week at most: a visit to each
    # row from the index by length takes twice as long. The plus keeps it out.
    rows = db.execute(
        "SELECT period, json_group_object(name, value) FROM"
        " (SELECT period, name, sum(value) AS value FROM figures"
        " WHERE period BETWEEN ? AND ? AND +length(period) = ?"
        " AND assistant = coalesce(?, assistant) GROUP BY period, name)"
        " GROUP BY period ORDER BY period",
        (first, last, len(first), assistant),
    )
    return tuple(to_figures(period, json.loads(counts)) for period, counts in rows)


def to_day(at_ms: int) -> str:
    """Return the UTC day of a moment."""
    return to_hour(at_ms)[:10]


def to_hour(at_ms: int) -> str:
    """Return the UTC hour of a moment."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat()[:13]
