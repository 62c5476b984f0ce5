"""The outbox: what has to be told outside, each the inside of one transaction."""

import json
import secrets
import sqlite3

from app.domain.people import Notice, NoticeType
from app.storage.people_store import NOTICE_DAYS

_MEMORY_MS = NOTICE_DAYS * 24 * 60 * 60 * 1000
_FORGET_AT_ONCE = 20
_SELECT = (
    "SELECT notices.*, conversations.id AS conversation_id FROM notices"
    " LEFT JOIN conversations ON conversations.key = notices.conversation"
)


def put_notice(
    db: sqlite3.Connection,
    kind: NoticeType,
    of: sqlite3.Row,
    message_id: str | None = None,
    *,
    now: int,
) -> None:
    """Put what happened in a conversation, of which this is the row, into the outbox."""
    _insert(db, kind, of["assistant"], of["key"], message_id, None, now)


def put_named_notice(
    db: sqlite3.Connection,
    kind: NoticeType,
    assistant: str,
    conversation_id: str | None,
    message_id: str | None,
    *,
    key: str | None,
    now: int,
) -> None:
    """Put a notice into the outbox: see ``PeopleStore``."""
    conversation: int | None = None
    if conversation_id is not None:
        found = db.execute(
            "SELECT key FROM conversations WHERE id = ?", (conversation_id,)
        ).fetchone()
        if found is None:
            return
        conversation = found["key"]
    _insert(db, kind, assistant, conversation, message_id, key, now)


def claim_notices(
    db: sqlite3.Connection, holder: str, *, lease_ms: int, limit: int, now: int
) -> tuple[Notice, ...]:
    """Take notices that are due, oldest first."""
    # A lease that is longer than any was taken before the clock went back: it tells nothing.
    rows = db.execute(
        f"{_SELECT} WHERE NOT is_over AND due_at <= ?"
        " AND (notices.lease_until IS NULL OR notices.lease_until NOT BETWEEN ? AND ?)"
        " ORDER BY notices.created_at, notices.key LIMIT ?",
        (now, now + 1, now + lease_ms, limit),
    ).fetchall()
    db.executemany(
        "UPDATE notices SET holder = ?, lease_until = ? WHERE key = ?",
        [(holder, now + lease_ms, row["key"]) for row in rows],
    )
    return tuple(map(_to_notice, rows))


def settle_notice(
    db: sqlite3.Connection, holder: str, notice: Notice, *, retry_in_ms: int | None, now: int
) -> None:
    """Note what came of an attempt."""
    # The holder stays: until another claims it, this one may settle it again.
    db.execute(
        "UPDATE notices SET pending = ?, attempts = ?, problem = ?, is_given_up = ?, is_over = ?,"
        " due_at = coalesce(?, due_at), lease_until = NULL"
        " WHERE id = ? AND holder = ? AND NOT is_over",
        (
            None if notice.pending is None else json.dumps(list(notice.pending)),
            notice.attempts,
            notice.problem,
            notice.is_given_up,
            retry_in_ms is None,
            None if retry_in_ms is None else now + retry_in_ms,
            notice.id,
            holder,
        ),
    )


def list_notices(db: sqlite3.Connection, *, limit: int, now: int) -> tuple[Notice, ...]:
    """Return the newest notices of the last days, newest first."""
    rows = db.execute(
        f"{_SELECT} WHERE notices.created_at > ?"
        " ORDER BY notices.created_at DESC, notices.key DESC LIMIT ?",
        (now - _MEMORY_MS, limit),
    )
    return tuple(map(_to_notice, rows))


def _insert(
    db: sqlite3.Connection,
    kind: NoticeType,
    assistant: str,
    conversation: int | None,
    message_id: str | None,
    key: str | None,
    now: int,
) -> None:
    # A few for each that comes, so that the table cannot grow without end.
    db.execute(
        "DELETE FROM notices WHERE key IN"
        " (SELECT key FROM notices WHERE created_at <= ? ORDER BY created_at LIMIT ?)",
        (now - _MEMORY_MS, _FORGET_AT_ONCE),
    )
    db.execute(
        "INSERT INTO notices (id, type, created_at, assistant, conversation, message_id,"
        " once_key, due_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (once_key) DO NOTHING",
        (secrets.token_hex(16), kind, now, assistant, conversation, message_id, key, now),
    )


def _to_notice(row: sqlite3.Row) -> Notice:
    return Notice(
        id=row["id"],
        type=row["type"],
        created_at=row["created_at"],
        assistant=row["assistant"],
        conversation_id=row["conversation_id"],
        message_id=row["message_id"],
        pending=None if row["pending"] is None else tuple(json.loads(row["pending"])),
        attempts=row["attempts"],
        due_at=row["due_at"],
        problem=row["problem"],
        is_given_up=bool(row["is_given_up"]),
    )
