"""Limits of time and of memory."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from app.knowledge.learner.limits import OutOfTime, time_limit


def wait() -> None:
    threading.Event().wait(5)


def test_what_takes_too_long_is_interrupted() -> None:
    with pytest.raises(OutOfTime), time_limit(0.02):
        wait()


def test_limit_within_a_limit_leaves_the_outer_one_running() -> None:
    def wait_within() -> None:
        with time_limit(5):
            time.monotonic()
        wait()

    with pytest.raises(OutOfTime), time_limit(0.05):
        wait_within()


def test_limit_that_is_kept_leaves_everything_as_it_was() -> None:
    # The runner of tests has a limit of its own.
    handler, (left_s, _) = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)
    with time_limit(5):
        time.monotonic()

    assert signal.getsignal(signal.SIGALRM) == handler
    assert left_s - 2 < signal.getitimer(signal.ITIMER_REAL)[0] <= left_s


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_limit_that_is_lost_while_something_is_freed_comes_again() -> None:
    class Freed:
        def __del__(self) -> None:
            wait()

    def wait_twice() -> None:
        Freed()
        wait()

    with pytest.raises(OutOfTime), time_limit(0.02):
        wait_twice()


@pytest.mark.slow
def test_learner_is_nice_and_held_to_its_memory() -> None:
    code = (
        "from app.knowledge.learner.limits import bound_learner, bound_reader; import os\n"
        "bound_learner(); bound_reader(); print(os.nice(0))\n"
        "try: bytearray(600 << 20)\nexcept MemoryError: print('bounded')"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.split() == ["19", "bounded"]
