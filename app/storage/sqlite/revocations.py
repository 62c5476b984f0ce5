"""Tokens that are used up before their time, each the inside of one transaction."""

import sqlite3

from app.storage.protocol import REVOCATION_MEMORY_DAYS

_MEMORY_MS = REVOCATION_MEMORY_DAYS * 24 * 60 * 60 * 1000
_FORGET_AT_ONCE = 20


def revoke(db: sqlite3.Connection, token_id: str, *, now: int) -> bool:
    """Remember a token; returns whether it was unknown."""
    # A few for each that comes, so that the table cannot grow without end.
    db.execute(
        "DELETE FROM revocations WHERE token_id IN"
        " (SELECT token_id FROM revocations WHERE revoked_at < ? ORDER BY revoked_at LIMIT ?)",
        (now - _MEMORY_MS, _FORGET_AT_ONCE),
    )
    added = db.execute(
        "INSERT OR IGNORE INTO revocations (token_id, revoked_at) VALUES (?, ?)", (token_id, now)
    )
    return added.rowcount > 0


def is_revoked(db: sqlite3.Connection, token_id: str) -> bool:
    """Tell whether a token is remembered."""
    found = db.execute("SELECT 1 FROM revocations WHERE token_id = ?", (token_id,)).fetchone()
    return found is not None
