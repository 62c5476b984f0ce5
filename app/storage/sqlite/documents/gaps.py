"""Marks on answers that the pages did not give, each the inside of one transaction."""

import sqlite3
from collections import Counter
from collections.abc import Sequence

from app.domain.conversation import Rating
from app.domain.knowledge import Gap
from app.storage.document_store import MAX_CITING_ANSWERS
from app.storage.sqlite.rows import from_message_id, to_message_id, to_sources


def mark_opinion(db: sqlite3.Connection, rated: sqlite3.Row, rating: Rating) -> None:
    """Mark an answer as disliked, where it bears no other mark, or take that mark off."""
    if rating == "down":
        db.execute(
            "UPDATE messages SET gap = 'disliked', assistant = ? WHERE key = ? AND gap IS NULL",
            (rated["assistant"], rated["key"]),
        )
    else:
        db.execute(
            "UPDATE messages SET gap = NULL WHERE key = ? AND gap = 'disliked'", (rated["key"],)
        )


def list_gaps(db: sqlite3.Connection, assistant: str, *, limit: int) -> tuple[Gap, ...]:
    """Return the newest answers that bear a mark, newest first."""
    rows = db.execute(
        "SELECT c.id, c.page_url, m.position, m.content, m.gap, m.created_at,"
        " q.content AS question FROM messages AS m"
        " JOIN conversations AS c ON c.key = m.conversation"
        " LEFT JOIN messages AS q"
        " ON q.conversation = m.conversation AND q.position = m.position - 1"
        " WHERE m.assistant = ? AND m.gap IS NOT NULL"
        " ORDER BY m.created_at DESC, m.key DESC LIMIT ?",
        (assistant, limit),
    )
    return tuple(_to_gap(row) for row in rows)


def dismiss_gaps(db: sqlite3.Connection, assistant: str, message_ids: Sequence[str]) -> None:
    """Take the mark off answers."""
    places = [place for place in map(from_message_id, message_ids) if place is not None]
    db.executemany(
        "UPDATE messages SET gap = NULL WHERE assistant = ? AND position = ?"
        " AND conversation = (SELECT key FROM conversations WHERE id = ?)",
        [(assistant, position, conversation_id) for conversation_id, position in places],
    )


def count_citations(db: sqlite3.Connection, assistant: str, since: int) -> dict[str, int]:
    """Count how often each URL, or title where there is none, was cited."""
    rows = db.execute(
        "SELECT sources FROM messages WHERE assistant = ? AND created_at >= ?"
        " AND sources <> '[]' ORDER BY created_at DESC LIMIT ?",
        (assistant, since, MAX_CITING_ANSWERS),
    )
    cited = (source for row in rows for source in to_sources(row["sources"]) or ())
    return dict(Counter(source.url or source.title for source in cited))


def _to_gap(row: sqlite3.Row) -> Gap:
    return Gap(
        message_id=to_message_id(row["id"], row["position"]),
        conversation_id=row["id"],
        question=row["question"] or "",
        answer=row["content"],
        reason=row["gap"],
        created_at=row["created_at"],
        page_url=row["page_url"],
    )
