"""The owner's switches, each the inside of one transaction."""

import sqlite3


def read_switches(db: sqlite3.Connection) -> frozenset[str]:
    """Return the names of the switches that are thrown."""
    return frozenset(row["name"] for row in db.execute("SELECT name FROM switches"))


def set_switch(db: sqlite3.Connection, name: str, *, thrown: bool) -> None:
    """Throw a switch, or put it back."""
    if thrown:
        db.execute("INSERT OR IGNORE INTO switches (name) VALUES (?)", (name,))
    else:
        db.execute("DELETE FROM switches WHERE name = ?", (name,))
