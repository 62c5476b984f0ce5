"""The lease that a running turn has of its session, each the inside of one transaction."""

import sqlite3

from app.domain.conversation import LEASE_EXPIRED, Answer
from app.domain.errors import TurnInProgress
from app.domain.figures import turn_counts
from app.storage.sqlite.conversations.marks import refresh_marks
from app.storage.sqlite.figures import add_counts

_CLOCK_SLACK_MS = 60_000


def refuse_while_running(
    db: sqlite3.Connection, opened: sqlite3.Row, now: int, lease_ms: int
) -> None:
    """Raise ``TurnInProgress`` while the lease of a turn runs."""
    if opened["running_position"] is None:
        return
    left_ms = opened["lease_until"] - now
    # More than any lease is long: the clock went back, and the lease tells nothing.
    if 0 < left_ms <= lease_ms + _CLOCK_SLACK_MS:
        raise TurnInProgress(retry_after_s=left_ms / 1000, turn_id=_running_turn_id(db, opened))


def expire_turn(db: sqlite3.Connection, opened: sqlite3.Row, now: int) -> None:
    """Note that the turn that holds the lease, if any, is past it."""
    if opened["running_position"] is None:
        return
    db.execute(
        "UPDATE messages SET status = 'error', error_code = ? WHERE conversation = ?"
        " AND position = ?",
        (LEASE_EXPIRED, opened["key"], opened["running_position"]),
    )
    refresh_marks(db, opened["key"])
    add_counts(db, opened["assistant"], turn_counts(Answer("", "error")), now)


def take_turn(db: sqlite3.Connection, opened: sqlite3.Row, now: int) -> None:
    """End the lease of the turn that runs: its answer comes to nothing complete."""
    if opened["running_position"] is None:
        return
    db.execute(
        "UPDATE messages SET taken_attempt = attempt WHERE conversation = ? AND position = ?",
        (opened["key"], opened["running_position"]),
    )
    if opened["lease_until"] <= now:
        expire_turn(db, opened, now)
    db.execute(
        "UPDATE conversations SET running_position = NULL, lease_until = NULL WHERE key = ?",
        (opened["key"],),
    )


def _running_turn_id(db: sqlite3.Connection, opened: sqlite3.Row) -> str | None:
    row = db.execute(
        "SELECT turn_id FROM messages WHERE conversation = ? AND position = ?",
        (opened["key"], opened["running_position"]),
    ).fetchone()
    return row and str(row["turn_id"])
