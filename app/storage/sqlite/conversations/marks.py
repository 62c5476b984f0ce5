"""What a conversation shows of its messages, for the list to filter by."""

import sqlite3

from app.domain.conversation import Mark, MarkedTurn
from app.storage.sqlite.rows import to_conversation, to_message

_REFRESH = """
UPDATE conversations SET
    has_complete = EXISTS
        (SELECT 1 FROM messages WHERE conversation = :key AND status = 'complete'),
    has_partial = EXISTS
        (SELECT 1 FROM messages WHERE conversation = :key AND status = 'partial'),
    has_error = EXISTS
        (SELECT 1 FROM messages WHERE conversation = :key AND status = 'error'),
    has_up = EXISTS (SELECT 1 FROM messages WHERE conversation = :key AND rating = 'up'),
    has_down = EXISTS (SELECT 1 FROM messages WHERE conversation = :key AND rating = 'down')
WHERE key = :key
"""


def refresh_marks(db: sqlite3.Connection, conversation: int) -> None:
    """Set the conversation's marks after a status or a rating has changed."""
    db.execute(_REFRESH, {"key": conversation})


def list_marked_turns(
    db: sqlite3.Connection, mark: Mark, *, limit: int, assistant: str | None
) -> tuple[MarkedTurn, ...]:
    """Return the newest turn with this mark of each conversation that has one."""
    bounds, values = ("", ()) if assistant is None else (" AND assistant = ?", (assistant,))
    rows = db.execute(
        # The mark is one of four words of our own.
        f"SELECT * FROM conversations WHERE has_{mark}{bounds}"  # noqa: S608
        " ORDER BY updated_at DESC, key DESC LIMIT ?",
        (*values, limit),
    )
    found = (_newest_marked(db, row, mark) for row in rows.fetchall())
    return tuple(turn for turn in found if turn is not None)


def _newest_marked(db: sqlite3.Connection, row: sqlite3.Row, mark: Mark) -> MarkedTurn | None:
    column = "rating" if mark in ("up", "down") else "status"
    marked = db.execute(
        f"SELECT position FROM messages WHERE conversation = ? AND {column} = ?"  # noqa: S608
        " ORDER BY position DESC LIMIT 1",
        (row["key"], mark),
    ).fetchone()
    if marked is None:
        return None
    asked_at = marked["position"] - marked["position"] % 2
    messages = db.execute(
        "SELECT * FROM messages WHERE conversation = ? AND position IN (?, ?) ORDER BY position",
        (row["key"], asked_at, asked_at + 1),
    ).fetchall()
    question, *answers = (to_message(row["id"], message) for message in messages)
    return MarkedTurn(to_conversation(row), question, *answers)
