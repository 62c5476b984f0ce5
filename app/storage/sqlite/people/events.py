"""A session's events: what operators said and did, each with a number of its own."""

import sqlite3

from app.domain.conversation import MAX_PREVIEW_CHARS, SessionEvent, SessionEvents
from app.domain.errors import SessionExpired
from app.domain.people import EventKind
from app.storage.sqlite.conversations.opening import POSITIONS_A_TURN, find_conversation
from app.storage.sqlite.conversations.sessions import is_deleted
from app.storage.sqlite.rows import to_message


def add_event(
    db: sqlite3.Connection, opened: sqlite3.Row, kind: EventKind, author: str | None, now: int
) -> None:
    """Store a system's message, which counts as none."""
    position = _take_place(db, opened, now)
    db.execute(
        "INSERT INTO messages"
        " (conversation, position, turn_id, role, content, created_at, author, event, n)"
        " SELECT key, ?, '', 'system', '', ?, ?, ?, last_event FROM conversations WHERE key = ?",
        (position, now, author, kind, opened["key"]),
    )


def add_words(
    db: sqlite3.Connection, opened: sqlite3.Row, text: str, author: str, key: str, now: int
) -> sqlite3.Row:
    """Store an operator's message, and return its row."""
    position = _take_place(db, opened, now)
    db.execute(
        "INSERT INTO messages"
        " (conversation, position, turn_id, role, content, created_at, author, said_key, n)"
        " SELECT key, ?, '', 'operator', ?, ?, ?, ?, last_event FROM conversations WHERE key = ?",
        (position, text, now, author, key, opened["key"]),
    )
    db.execute(
        "UPDATE conversations SET last_message = ?, message_count = message_count + 1,"
        " unread = 0, waiting_since = NULL WHERE key = ?",
        (text[:MAX_PREVIEW_CHARS], opened["key"]),
    )
    row: sqlite3.Row = db.execute(
        "SELECT * FROM messages WHERE conversation = ? AND position = ?", (opened["key"], position)
    ).fetchone()
    return row


def events_since(
    db: sqlite3.Connection, session_id: str, after: int, *, limit: int
) -> SessionEvents:
    """Return a session's events behind one of them: see ``PeopleStore``."""
    row = find_conversation(db, session_id)
    if row is None:
        if is_deleted(db, session_id):
            raise SessionExpired
        return SessionEvents("bot", (), 0)
    if after > row["last_event"]:
        after = 0
    found = db.execute(
        "SELECT * FROM messages WHERE conversation = ? AND n > ? ORDER BY n LIMIT ?",
        (row["key"], after, limit),
    ).fetchall()
    events = tuple(SessionEvent(each["n"], to_message(row["id"], each)) for each in found)
    return SessionEvents(row["state"], events, events[-1].n if events else after)


def note_seen(
    db: sqlite3.Connection, conversation_id: str, *, by_visitor: bool, event: int
) -> None:
    """Note what was read: see ``PeopleStore``."""
    if by_visitor:
        db.execute(
            "UPDATE conversations SET seen_event = max(seen_event, min(last_event, ?))"
            " WHERE id = ?",
            (event, conversation_id),
        )
    else:
        db.execute("UPDATE conversations SET unread = 0 WHERE id = ?", (conversation_id,))


def _take_place(db: sqlite3.Connection, opened: sqlite3.Row, now: int) -> int:
    # Read again: of one transaction, this may not be the first message.
    row = db.execute(
        "SELECT next_position FROM conversations WHERE key = ?", (opened["key"],)
    ).fetchone()
    position: int = row["next_position"]
    db.execute(
        "UPDATE conversations SET next_position = ?, last_event = last_event + 1, updated_at = ?"
        " WHERE key = ?",
        (position + POSITIONS_A_TURN, now, opened["key"]),
    )
    return position
