"""The time of day, as stores, notices and answers write it."""

import time


def now_ms() -> int:
    """Return the time of day, in ms since the Unix epoch."""
    return time.time_ns() // 1_000_000
