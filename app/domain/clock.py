"""The time of day, as stores, notices and answers write it."""

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """Return the time of day, in ms since the Unix epoch."""
    return time.time_ns() // 1_000_000


def to_utc(ms: int) -> str:
    """Return a time in UTC, in the one form that spreadsheets of all countries take for one."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
