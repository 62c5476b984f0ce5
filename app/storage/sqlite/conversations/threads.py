"""Reading one conversation, and the two things done to it from outside."""

import sqlite3
from dataclasses import replace

from app.domain.conversation import Feedback, Thread
from app.domain.errors import ConversationNotFound, MessageNotFound, SessionExpired
from app.storage.protocol import MAX_THREAD_MESSAGES
from app.storage.sqlite.conversations.marks import refresh_marks
from app.storage.sqlite.conversations.sessions import is_deleted
from app.storage.sqlite.cursors import from_cursor, to_cursor
from app.storage.sqlite.documents.gaps import mark_opinion
from app.storage.sqlite.figures import count_rating
from app.storage.sqlite.rows import from_message_id, to_conversation, to_message

_FORWARD = "t"
_BACKWARD = "s"
_BEFORE_ALL = -1
_AFTER_ALL = 2**62
_SHOWN_BEHIND = 10


def read_thread(
    db: sqlite3.Connection, conversation_id: str, *, limit: int | None, cursor: str | None
) -> Thread:
    """Read a conversation from its oldest message on."""
    after = _BEFORE_ALL if cursor is None else from_cursor(_FORWARD, cursor, 1)[0]
    row = _find(db, conversation_id)
    if limit is None and cursor is None:
        return _to_thread(row, _newest(db, row["key"], _AFTER_ALL, MAX_THREAD_MESSAGES))
    size = min(limit or MAX_THREAD_MESSAGES, MAX_THREAD_MESSAGES)
    found = db.execute(
        "SELECT * FROM messages WHERE conversation = ? AND position > ? ORDER BY position LIMIT ?",
        (row["key"], after, size + 1),
    ).fetchall()
    page = found[:size]
    more = len(found) > size
    return _to_thread(row, page, to_cursor(_FORWARD, page[-1]["position"]) if more else None)


def read_thread_back(
    db: sqlite3.Connection, conversation_id: str, *, limit: int | None, cursor: str | None
) -> Thread:
    """Read a conversation from its newest message back."""
    row = _find(db, conversation_id)
    return _read_back(db, row, min(limit or MAX_THREAD_MESSAGES, MAX_THREAD_MESSAGES), cursor)


def read_session(
    db: sqlite3.Connection, session_id: str, *, limit: int, cursor: str | None, now: int
) -> Thread | None:
    """Read a session's conversation from its newest message back."""
    row = db.execute("SELECT * FROM conversations WHERE session_id = ?", (session_id,)).fetchone()
    if row is None:
        if is_deleted(db, session_id):
            raise SessionExpired
        return None
    thread = _read_back(db, row, limit, cursor)
    return replace(thread, running_turn_id=_running_turn_id(db, row, now))


def delete_conversation(db: sqlite3.Connection, conversation_id: str) -> bool:
    """Delete a conversation; its messages and their index go with it."""
    deleted = db.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))
    return deleted.rowcount > 0


def rate_message(
    db: sqlite3.Connection, session_id: str, message_id: str, feedback: Feedback
) -> None:
    """Set the feedback of one of the session's answers."""
    conversation_id, position = from_message_id(message_id) or ("", 0)
    found = db.execute(
        "SELECT m.key, m.conversation, m.rating, m.created_at, c.assistant FROM conversations AS c"
        " JOIN messages AS m ON m.conversation = c.key"
        " WHERE c.id = ? AND c.session_id = ? AND m.position = ? AND m.role = 'assistant'",
        (conversation_id, session_id, position),
    ).fetchone()
    if found is None:
        raise MessageNotFound
    db.execute(
        "UPDATE messages SET rating = ?, comment = ? WHERE key = ?",
        (feedback.rating, feedback.comment, found["key"]),
    )
    mark_opinion(db, found, feedback.rating)
    refresh_marks(db, found["conversation"])
    count_rating(db, found, feedback.rating)


def cursor_around(position: int) -> str:
    """Return the cursor of a page, read back, that shows a message and some behind it."""
    return to_cursor(_BACKWARD, position + _SHOWN_BEHIND)


def _find(db: sqlite3.Connection, conversation_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM conversations WHERE id = ?", (conversation_id,)
    ).fetchone()
    if row is None:
        raise ConversationNotFound
    return row


def _read_back(db: sqlite3.Connection, row: sqlite3.Row, limit: int, cursor: str | None) -> Thread:
    before = _AFTER_ALL if cursor is None else from_cursor(_BACKWARD, cursor, 1)[0]
    found = _newest(db, row["key"], before, limit + 1)
    page = found[-limit:]
    more = len(found) > limit
    return _to_thread(row, page, to_cursor(_BACKWARD, page[0]["position"]) if more else None)


def _running_turn_id(db: sqlite3.Connection, row: sqlite3.Row, now: int) -> str | None:
    if row["running_position"] is None or row["lease_until"] <= now:
        return None
    asked = db.execute(
        "SELECT turn_id FROM messages WHERE conversation = ? AND position = ?",
        (row["key"], row["running_position"]),
    ).fetchone()
    return asked and str(asked["turn_id"])


def _newest(
    db: sqlite3.Connection, conversation: int, before: int, limit: int
) -> list[sqlite3.Row]:
    rows = db.execute(
        "SELECT * FROM messages WHERE conversation = ? AND position < ?"
        " ORDER BY position DESC LIMIT ?",
        (conversation, before, limit),
    ).fetchall()
    rows.reverse()
    return rows


def _to_thread(
    row: sqlite3.Row, messages: list[sqlite3.Row], next_cursor: str | None = None
) -> Thread:
    conversation = to_conversation(row)
    return Thread(
        conversation,
        tuple(to_message(conversation.id, message) for message in messages),
        next_cursor,
    )
