"""What a conversation shows of its messages, for the list to filter by."""

import sqlite3

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
