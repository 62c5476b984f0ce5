"""Jobs that one process of many does, each the inside of one transaction."""

import sqlite3


def begin_job(
    db: sqlite3.Connection, name: str, holder: str, *, lease_ms: int, every_ms: int, now: int
) -> bool:
    """Take or prolong a job's lease: see ``ConversationStore``."""
    job = db.execute("SELECT * FROM jobs WHERE name = ?", (name,)).fetchone()
    if job is not None and _is_refused(job, holder, lease_ms, every_ms, now):
        return False
    db.execute(
        "INSERT INTO jobs (name, holder, lease_until) VALUES (?, ?, ?) ON CONFLICT (name)"
        " DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until",
        (name, holder, now + lease_ms),
    )
    return True


def end_job(db: sqlite3.Connection, name: str, holder: str, *, now: int) -> None:
    """Note that a job is done."""
    db.execute(
        "UPDATE jobs SET holder = NULL, lease_until = NULL, done_at = ?"
        " WHERE name = ? AND holder = ?",
        (now, name, holder),
    )


def _is_refused(job: sqlite3.Row, holder: str, lease_ms: int, every_ms: int, now: int) -> bool:
    if job["holder"] == holder:
        return False
    # What lies in the future was written before the clock went back: it tells nothing.
    is_held = job["holder"] is not None and 0 < job["lease_until"] - now <= lease_ms
    is_done = job["done_at"] is not None and 0 <= now - job["done_at"] < every_ms
    return is_held or is_done
