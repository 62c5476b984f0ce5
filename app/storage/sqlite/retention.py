"""Conversations that are kept no longer, a batch at a time."""

import sqlite3

from app.domain.conversation import PurgedBatch

_DAY_MS = 24 * 60 * 60 * 1000
# A batch holds up other writers for some tens of ms: the text index is most of it.
BATCH_CONVERSATIONS = 20
BATCH_MESSAGES = 50


def purge(db: sqlite3.Connection, *, unused_days: int, now: int) -> PurgedBatch:
    """Delete a batch: see ``ConversationStore``."""
    stale = db.execute(
        "SELECT key FROM conversations WHERE updated_at < ?"
        " AND (running_position IS NULL OR lease_until <= ?) ORDER BY updated_at LIMIT ?",
        (now - unused_days * _DAY_MS, now, BATCH_CONVERSATIONS),
    ).fetchall()
    left = BATCH_MESSAGES
    for number, (key,) in enumerate(stale):
        left -= _delete_messages(db, key, left)
        if left <= 0:
            return PurgedBatch(number, has_more=True)
        db.execute("DELETE FROM conversations WHERE key = ?", (key,))
    return PurgedBatch(len(stale), has_more=len(stale) == BATCH_CONVERSATIONS)


def _delete_messages(db: sqlite3.Connection, conversation: int, limit: int) -> int:
    return db.execute(
        "DELETE FROM messages WHERE key IN"
        " (SELECT key FROM messages WHERE conversation = ? ORDER BY position LIMIT ?)",
        (conversation, limit),
    ).rowcount
