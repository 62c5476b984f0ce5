"""Counts in this process's memory; those in Redis are tested beside them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.limits.counters import memory
from app.limits.counters.memory import MemoryCounters
from app.limits.counters.protocol import Counter
from tests.clock import Clock

MINUTE = Counter("minute/a", 60, limit=3)
DAY = Counter("day/a", 86_400, limit=5)


def count(counters: MemoryCounters, name: str, length_s: float, amount: int = 1) -> int:
    """Count without a limit, and return how many there are."""
    counter = Counter(name, length_s)
    counters.take([counter], amount)
    return counters.known(counter)[0]


@pytest.fixture
def counters(clock: Clock) -> MemoryCounters:
    return MemoryCounters(clock=clock)


def test_hits_of_a_window_add_up(counters: MemoryCounters) -> None:
    assert [count(counters, "k", 10), count(counters, "k", 10), count(counters, "k", 10, 5)] == [
        1,
        2,
        7,
    ]
    assert counters.find("k") == (7, 10.0)


def test_keys_do_not_share_a_window(counters: MemoryCounters) -> None:
    count(counters, "k", 10)

    assert count(counters, "other", 10) == 1


def test_window_is_full_after_its_limit(counters: MemoryCounters) -> None:
    assert [counters.take([MINUTE]) for _ in range(5)] == [None, None, None, MINUTE, MINUTE]


def test_window_ends_its_length_after_its_first_hit(counters: MemoryCounters, clock: Clock) -> None:
    counters.take([MINUTE])
    clock.advance(59)
    counters.take([MINUTE])
    assert counters.known(MINUTE) == (2, 1.0)

    clock.advance(1)

    assert counters.known(MINUTE) == (0, 0.0)
    counters.take([MINUTE])
    assert counters.known(MINUTE) == (1, 60.0)


def test_hit_that_one_window_refuses_is_not_counted_in_the_next(counters: MemoryCounters) -> None:
    full = [counters.take([MINUTE, DAY]) for _ in range(10)]

    assert full == [None] * 3 + [MINUTE] * 7
    assert counters.known(DAY)[0] == 3


def test_second_window_refuses_when_the_first_has_room(
    counters: MemoryCounters, clock: Clock
) -> None:
    full = []
    for _ in range(7):
        full.append(counters.take([MINUTE, DAY]))
        clock.advance(60)

    assert full == [None] * 5 + [DAY] * 2


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 40)), max_size=60))
def test_ended_windows_take_no_memory(hits: list[tuple[int, float]]) -> None:
    clock = Clock()
    counters = MemoryCounters(clock=clock)
    for key, pause_s in hits:
        count(counters, f"key-{key}", 60)
        clock.advance(pause_s)
    clock.advance(61)

    for number in range(10):
        count(counters, f"other-{number}", 60)

    assert len(counters.all()) == 10


@pytest.mark.slow
def test_memory_is_bounded(counters: MemoryCounters) -> None:
    most = memory.MAX_COUNTS

    for number in range(most + 10):
        count(counters, f"made-up-{number}", 60)

    assert len(counters.all()) == most


@pytest.mark.slow
def test_counting_among_many_windows_costs_microseconds() -> None:
    counters = MemoryCounters()
    for number in range(50_000):
        count(counters, f"visitor-{number}", 86_400)
    began_at = time.process_time()

    for number in range(1000):
        counters.take(
            [Counter(f"minute/{number}", 60, 30), Counter(f"visitor-{number}", 86_400, 9)]
        )

    assert time.process_time() - began_at < 0.05  # 50 µs each, ten times what it takes


def test_all_or_none_takes_nothing_where_one_has_not_that_much_left(
    counters: MemoryCounters,
) -> None:
    full = [counters.take([DAY, MINUTE], 2, all_or_none=True) for _ in range(2)]

    assert full == [None, MINUTE]
    assert [counters.known(each)[0] for each in (DAY, MINUTE)] == [2, 2]


def test_no_count_falls_below_nought(counters: MemoryCounters) -> None:
    assert [count(counters, "k", 10, -1), count(counters, "k", 10)] == [0, 1]
