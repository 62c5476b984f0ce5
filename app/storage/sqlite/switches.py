"""The owner's switches, each the inside of one transaction."""

import sqlite3

from app.domain.knowledge import StoreState
from app.storage.sqlite.documents.rows import read_versions


def read_state(db: sqlite3.Connection) -> StoreState:
    """Return which switches are thrown, and the versions of knowledge."""
    thrown = frozenset(row["name"] for row in db.execute("SELECT name FROM switches"))
    return StoreState(thrown, read_versions(db))


def set_switch(db: sqlite3.Connection, name: str, *, thrown: bool) -> None:
    """Throw a switch, or put it back."""
    if thrown:
        db.execute("INSERT OR IGNORE INTO switches (name) VALUES (?)", (name,))
    else:
        db.execute("DELETE FROM switches WHERE name = ?", (name,))
