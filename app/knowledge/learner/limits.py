"""What the learner may take of a machine that serves visitors meanwhile."""

import os
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

MAX_MEMORY_BYTES = 512 * 1024 * 1024
# What is reserved counts, too: of each thread of the store, some 70 MB.
_MAX_LEARNER_BYTES = 2 * MAX_MEMORY_BYTES
MAX_RUN_S = 15 * 60
MAX_PAGE_S = 20
_AGAIN_S = 1.0
_NICENESS = 19


class OutOfTime(Exception):
    """Something took longer than it may."""


def bound_learner() -> None:
    """Hold this process, and those that it starts, to memory, time and a low priority."""
    os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    _lower(resource.RLIMIT_AS, _MAX_LEARNER_BYTES)
    _lower(resource.RLIMIT_CPU, MAX_RUN_S)
    _lower(resource.RLIMIT_CORE, 0)


def bound_reader() -> None:
    """Hold the process that parses to its memory; its time is watched from outside."""
    _lower(resource.RLIMIT_AS, MAX_MEMORY_BYTES)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)


def _lower(which: int, most: int) -> None:
    hard = resource.getrlimit(which)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(which, (most, most))


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt what runs longer, whatever it waits for; in the main thread only.

    Raises:
        OutOfTime: it was.
    """

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        # What is raised while an object is freed, Python prints and drops: so once more.
        signal.setitimer(signal.ITIMER_REAL, min(seconds, _AGAIN_S))
        raise OutOfTime

    handler = signal.signal(signal.SIGALRM, interrupt)
    begun = time.monotonic()
    outer_s, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        # Of one around this one, what is left; it must not be lost, so never nothing.
        left_s = max(outer_s - (time.monotonic() - begun), 0.001) if outer_s else 0.0
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, left_s)
