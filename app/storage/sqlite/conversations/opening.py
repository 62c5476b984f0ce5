"""A session's conversation, as turns and people find and open it."""

import secrets
import sqlite3

from app.storage.sqlite.conversations.sessions import take_user
from app.storage.sqlite.people.notices import put_notice

# A question and the place that it keeps for its answer; what else is said takes as many.
POSITIONS_A_TURN = 2


def find_conversation(db: sqlite3.Connection, session_id: str) -> sqlite3.Row | None:
    """Return the row of a session's conversation."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM conversations WHERE session_id = ?", (session_id,)
    ).fetchone()
    return row


def open_conversation(
    db: sqlite3.Connection, session_id: str, assistant: str, *, now: int, notes_starts: bool
) -> sqlite3.Row:
    """Return a session's conversation, which may be another assistant's; open it if need be.

    Raises:
        SessionExpired: the session was deleted.
    """
    found = find_conversation(db, session_id)
    if found is not None:
        return found
    user = take_user(db, session_id)
    db.execute(
        "INSERT INTO conversations (id, session_id, created_at, updated_at, user, assistant)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (secrets.token_hex(16), session_id, now, now, user, assistant),
    )
    opened = find_conversation(db, session_id)
    assert opened is not None  # noqa: S101 (stored in this transaction)
    if notes_starts:
        put_notice(db, "conversation.started", opened, now=now)
    return opened


def has_said_more(db: sqlite3.Connection, opened: sqlite3.Row, position: int) -> bool:
    """Tell whether a visitor or an operator said something behind a position."""
    found = db.execute(
        "SELECT 1 FROM messages WHERE conversation = ? AND position > ?"
        " AND role IN ('user', 'operator') LIMIT 1",
        (opened["key"], position),
    )
    return found.fetchone() is not None


def given_back_at(db: sqlite3.Connection, opened: sqlite3.Row, before: int) -> int:
    """Return the position at which people gave the conversation back last; 0 if they never did."""
    if not opened["last_event"]:
        return 0
    row = db.execute(
        "SELECT position FROM messages WHERE conversation = ? AND n IS NOT NULL"
        " AND event IN ('released', 'closed') AND position < ? ORDER BY n DESC LIMIT 1",
        (opened["key"], before),
    ).fetchone()
    return int(row["position"]) if row else 0
