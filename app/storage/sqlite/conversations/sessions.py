"""What is known of a session beside its conversation: its user, and its end."""

import sqlite3

from app.domain.errors import SessionExpired, UserMismatch
from app.storage.protocol import SESSION_MEMORY_DAYS

_MEMORY_MS = SESSION_MEMORY_DAYS * 24 * 60 * 60 * 1000
_FORGET_AT_ONCE = 20


def delete_session(db: sqlite3.Connection, session_id: str, *, now: int) -> None:
    """Delete a session's conversation, and remember that it was deleted."""
    db.execute("DELETE FROM conversations WHERE session_id = ?", (session_id,))
    _remember(db, session_id, user=None, deleted=True, now=now)


def is_deleted(db: sqlite3.Connection, session_id: str) -> bool:
    """Tell whether the session was deleted."""
    known = _find(db, session_id)
    return known is not None and bool(known["deleted"])


def set_user(db: sqlite3.Connection, session_id: str, user: str, *, now: int) -> None:
    """Say whose session it is: on its conversation, or until it has one, here."""
    opened = db.execute(
        "SELECT key, user FROM conversations WHERE session_id = ?", (session_id,)
    ).fetchone()
    known = opened or _find(db, session_id)
    if opened is None and known is not None and known["deleted"]:
        raise SessionExpired
    if known is not None and known["user"] not in (None, user):
        raise UserMismatch
    if opened is None:
        _remember(db, session_id, user=user, deleted=False, now=now)
    else:
        db.execute("UPDATE conversations SET user = ? WHERE key = ?", (user, opened["key"]))


def take_user(db: sqlite3.Connection, session_id: str) -> str | None:
    """Return the user of a session whose conversation is opened now, and forget it here.

    Raises:
        SessionExpired: the session was deleted.
    """
    known = _find(db, session_id)
    if known is None:
        return None
    if known["deleted"]:
        raise SessionExpired
    db.execute("DELETE FROM sessions WHERE id = ?", (session_id,))
    user: str | None = known["user"]
    return user


def _find(db: sqlite3.Connection, session_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM sessions WHERE id = ?", (session_id,)
    ).fetchone()
    return row


def _remember(
    db: sqlite3.Connection, session_id: str, *, user: str | None, deleted: bool, now: int
) -> None:
    db.execute(
        "INSERT OR REPLACE INTO sessions (id, user, deleted, changed_at) VALUES (?, ?, ?, ?)",
        (session_id, user, deleted, now),
    )
    # A few for each that comes, so that the table cannot grow without end.
    db.execute(
        "DELETE FROM sessions WHERE id IN"
        " (SELECT id FROM sessions WHERE changed_at < ? ORDER BY changed_at LIMIT ?)",
        (now - _MEMORY_MS, _FORGET_AT_ONCE),
    )
