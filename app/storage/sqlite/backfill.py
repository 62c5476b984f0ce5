"""Figures of the conversations that are older than the figures, in batches."""

import sqlite3
from collections import Counter, defaultdict

from app.domain.conversation import DEFAULT_ASSISTANT
from app.domain.figures import turn_counts
from app.storage.sqlite.figures import add_period_counts, to_day
from app.storage.sqlite.rows import to_answer

# A batch holds up other writers for some tens of ms.
BATCH_CONVERSATIONS = 300

_Days = defaultdict[str, Counter[str]]


def backfill_figures(db: sqlite3.Connection) -> int:
    """Count a batch, and return how many conversations it finished."""
    batch = db.execute(
        "SELECT key, created_at, updated_at, uncounted_before FROM conversations"
        " WHERE uncounted_before IS NOT NULL LIMIT ?",
        (BATCH_CONVERSATIONS,),
    ).fetchall()
    days: _Days = defaultdict(Counter)
    for conversation in batch:
        days[to_day(conversation["created_at"])]["conversations"] += 1
        _count_messages(db, days, conversation)
    for day, counts in days.items():
        # What is older than the figures is older than any other assistant.
        add_period_counts(db, DEFAULT_ASSISTANT, day, counts)
    db.executemany(
        "UPDATE conversations SET uncounted_before = NULL, seen_day = coalesce(seen_day, ?)"
        " WHERE key = ?",
        [(to_day(conversation["updated_at"]), conversation["key"]) for conversation in batch],
    )
    return len(batch)


def _count_messages(db: sqlite3.Connection, days: _Days, conversation: sqlite3.Row) -> None:
    rows = db.execute(
        "SELECT * FROM messages WHERE conversation = ? AND position < ?",
        (conversation["key"], conversation["uncounted_before"]),
    )
    seen: set[str] = set()
    for row in rows:
        day = to_day(row["created_at"])
        if row["role"] == "user" and day not in seen:
            seen.add(day)
            days[day]["visitors"] += 1
        # A question bears a status when its turn ended without a word.
        if row["role"] == "assistant" or row["status"] is not None:
            days[day].update(turn_counts(to_answer(row)))
        if row["rating"] is not None:
            days[day][f"thumbs_{row['rating']}"] += 1
