"""How learning goes, each the inside of one transaction."""

import sqlite3


def put_report(db: sqlite3.Connection, assistant: str, report: str) -> bool:
    """Keep a report; return whether learning is to go on."""
    row = db.execute(
        "SELECT is_cancelled FROM learning WHERE assistant = ?", (assistant,)
    ).fetchone()
    db.execute(
        "INSERT OR REPLACE INTO learning (assistant, is_cancelled, report) VALUES (?, 0, ?)",
        (assistant, report),
    )
    return row is None or not row["is_cancelled"]


def read_report(db: sqlite3.Connection, assistant: str) -> str | None:
    """Return the last report."""
    row = db.execute("SELECT report FROM learning WHERE assistant = ?", (assistant,)).fetchone()
    return row["report"] if row else None


def cancel_learning(db: sqlite3.Connection, assistant: str) -> None:
    """Ask whoever learns to stop."""
    db.execute(
        "INSERT INTO learning (assistant, is_cancelled) VALUES (?, 1)"
        " ON CONFLICT (assistant) DO UPDATE SET is_cancelled = 1",
        (assistant,),
    )
