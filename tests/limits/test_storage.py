"""What the library under flask-limiter is given to count with."""

import time

import pytest

from app.domain.errors import DailyLimitReached
from app.limits.counters.memory import MemoryCounters
from app.limits.storage import CounterStorage, InTurn, Limit
from tests.clock import Clock

MINUTE = Limit("minute", 3, 60)
DAY = Limit("day", 5, 86_400, DailyLimitReached)


@pytest.fixture
def storage() -> CounterStorage:
    return CounterStorage(counters=MemoryCounters(clock=Clock()))


def test_the_library_reads_what_was_counted(storage: CounterStorage) -> None:
    storage.incr("k", 60, amount=4)
    storage.incr("other", 60)

    assert 59 <= storage.get_expiry("k") - time.time() <= 60
    storage.clear("k")
    storage.clear("unknown")
    assert (storage.get("k"), storage.get("other")) == (0, 1)
    assert storage.check()
    assert (storage.reset(), storage.get("other")) == (1, 0)


def test_windows_are_hit_in_turn_up_to_the_first_that_is_full(storage: CounterStorage) -> None:
    windows = InTurn(storage)

    full = [windows.hit_in_turn([(MINUTE, "a"), (DAY, "b")]) for _ in range(5)]

    assert full == [None, None, None, (MINUTE, "a"), (MINUTE, "a")]
    assert (storage.get("minute/a"), storage.get("day/b")) == (5, 3)


def test_hits_in_turn_and_the_librarys_own_are_of_one_window(storage: CounterStorage) -> None:
    windows = InTurn(storage)
    windows.hit_in_turn([(MINUTE, "a")])

    assert [windows.hit(MINUTE, "a") for _ in range(3)] == [True, True, False]
    assert windows.get_window_stats(MINUTE, "a").remaining == 0
    windows.hit(MINUTE, "a", cost=-2)
    assert windows.get_window_stats(MINUTE, "a").remaining == 1


def test_a_window_outlives_a_change_of_its_limit(storage: CounterStorage) -> None:
    InTurn(storage).hit(MINUTE, "a")

    assert InTurn(storage).hit_in_turn([(Limit("minute", 1, 60), "a")]) is not None
