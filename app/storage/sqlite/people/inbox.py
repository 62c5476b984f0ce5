"""Conversations as people look for them."""

import sqlite3

from app.domain.conversation import Conversation
from app.storage.sqlite.rows import to_conversation


def list_inbox(
    db: sqlite3.Connection, *, assistant: str | None, limit: int
) -> tuple[Conversation, ...]:
    """Return what waits, the longest first, then what people answer, newest first."""
    waiting = db.execute(
        "SELECT * FROM conversations WHERE state = 'waiting' AND assistant = coalesce(?, assistant)"
        " ORDER BY waiting_since, key LIMIT ?",
        (assistant, limit),
    ).fetchall()
    human = db.execute(
        "SELECT * FROM conversations WHERE state = 'human' AND assistant = coalesce(?, assistant)"
        " ORDER BY updated_at DESC, key DESC LIMIT ?",
        (assistant, limit - len(waiting)),
    )
    return tuple(map(to_conversation, [*waiting, *human]))


def find_by_user(db: sqlite3.Connection, user: str, assistant: str) -> Conversation | None:
    """Return a user's conversation that was updated last."""
    row = db.execute(
        # The plus leaves a user's few conversations to the index by user.
        "SELECT * FROM conversations WHERE user = ? AND +assistant = ?"
        " ORDER BY updated_at DESC, key DESC LIMIT 1",
        (user, assistant),
    ).fetchone()
    return None if row is None else to_conversation(row)
