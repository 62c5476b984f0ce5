"""Windows in this process's memory; those in Redis are tested in tests/redis."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.limits import storage as limit_storage
from app.limits.storage import Window, WindowStorage
from tests.clock import Clock

MINUTE = Window("minute/a", 60, limit=3)
DAY = Window("day/a", 86_400, limit=5)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage(clock: Clock) -> WindowStorage:
    return WindowStorage(clock=clock)


def test_hits_of_a_window_add_up(storage: WindowStorage) -> None:
    assert [storage.incr("k", 10), storage.incr("k", 10), storage.incr("k", 10, 5)] == [1, 2, 7]
    assert storage.get("k") == 7


def test_keys_do_not_share_a_window(storage: WindowStorage) -> None:
    storage.incr("k", 10)

    assert storage.incr("other", 10) == 1


def test_window_is_full_after_its_limit(storage: WindowStorage) -> None:
    assert [storage.hit([MINUTE]) for _ in range(5)] == [None, None, None, MINUTE, MINUTE]


def test_window_ends_its_length_after_its_first_hit(storage: WindowStorage, clock: Clock) -> None:
    storage.hit([MINUTE])
    clock.advance(59)
    storage.hit([MINUTE])
    assert storage.known(MINUTE) == (2, 1.0)

    clock.advance(1)

    assert storage.known(MINUTE) == (0, 0.0)
    storage.hit([MINUTE])
    assert storage.known(MINUTE) == (1, 60.0)


def test_hit_that_one_window_refuses_is_not_counted_in_the_next(storage: WindowStorage) -> None:
    full = [storage.hit([MINUTE, DAY]) for _ in range(10)]

    assert full == [None] * 3 + [MINUTE] * 7
    assert storage.known(DAY)[0] == 3


def test_second_window_refuses_when_the_first_has_room(
    storage: WindowStorage, clock: Clock
) -> None:
    full = []
    for _ in range(7):
        full.append(storage.hit([MINUTE, DAY]))
        clock.advance(60)

    assert full == [None] * 5 + [DAY] * 2


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 40)), max_size=60))
def test_ended_windows_take_no_memory(hits: list[tuple[int, float]]) -> None:
    clock = Clock()
    storage = WindowStorage(clock=clock)
    for key, pause_s in hits:
        storage.incr(f"key-{key}", 60)
        clock.advance(pause_s)
    clock.advance(61)

    for number in range(10):
        storage.incr(f"other-{number}", 60)

    assert storage.reset() == 10


def test_memory_is_bounded(storage: WindowStorage) -> None:
    most = limit_storage.MAX_WINDOWS

    for number in range(most + 10):
        storage.incr(f"made-up-{number}", 60)

    assert storage.reset() == most


def test_counting_among_many_windows_costs_microseconds() -> None:
    storage = WindowStorage()
    for number in range(50_000):
        storage.incr(f"visitor-{number}", 86_400)
    began_at = time.process_time()

    for number in range(1000):
        storage.hit([Window(f"minute/{number}", 60, 30), Window(f"visitor-{number}", 86_400, 9)])

    assert time.process_time() - began_at < 0.05  # 50 µs each, ten times what it takes


def test_the_library_reads_what_was_counted(storage: WindowStorage) -> None:
    storage.incr("k", 60, amount=4)
    storage.incr("other", 60)

    assert 59 <= storage.get_expiry("k") - time.time() <= 60
    storage.clear("k")
    storage.clear("unknown")
    assert (storage.get("k"), storage.get("other")) == (0, 1)
    assert storage.check()
