"""Waiting for what another process does, without guessing how long it takes."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")
POLL_S = 0.02


def eventually(look: Callable[[], Value], *, within_s: float = 5.0) -> Value:
    """Return the first value of ``look`` that is true; fail when none comes in time."""
    deadline = time.monotonic() + within_s
    while not (value := look()):
        assert time.monotonic() < deadline, f"still {value!r} after {within_s} s"
        time.sleep(POLL_S)
    return value
