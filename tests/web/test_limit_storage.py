"""Windows in this process's memory; those in Redis are tested in tests/redis."""

import pytest

from app.web.limit_storage import Window, WindowStorage


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage(clock: Clock) -> WindowStorage:
    return WindowStorage(clock=clock)


def test_hits_of_a_window_add_up(storage: WindowStorage) -> None:
    assert [storage.incr("k", 10), storage.incr("k", 10), storage.incr("k", 10, 5)] == [1, 2, 7]
    assert storage.get("k") == 7


def test_window_ends_and_another_begins(storage: WindowStorage, clock: Clock) -> None:
    storage.incr("k", 10)
    clock.now_s += 9.9
    assert storage.incr("k", 10) == 2

    clock.now_s += 0.1

    assert storage.get("k") == 0
    assert storage.incr("k", 10) == 1


def test_keys_do_not_share_a_window(storage: WindowStorage) -> None:
    storage.incr("k", 10)

    assert storage.incr("other", 10) == 1


def test_first_full_window_is_named(storage: WindowStorage) -> None:
    minute, day = Window("minute", 60, limit=1), Window("day", 86_400, limit=2)

    assert storage.hit([minute, day]) is None
    assert storage.hit([minute, day]) is minute
    assert storage.known(minute)[0] == 2
    assert storage.known(day)[0] == 1  # a refused hit costs nothing further on


def test_known_tells_what_is_left(storage: WindowStorage, clock: Clock) -> None:
    window = Window("k", 10)
    assert storage.known(window) == (0, 0.0)

    storage.hit([window])
    clock.now_s += 4

    assert storage.known(window) == (1, 6.0)


def test_ended_windows_take_no_memory(storage: WindowStorage, clock: Clock) -> None:
    for number in range(1000):
        storage.incr(f"k{number}", 10)
    clock.now_s += 60

    storage.incr("k", 10)

    assert storage.reset() == 1


def test_keys_are_forgotten(storage: WindowStorage) -> None:
    storage.incr("k", 10)
    storage.incr("other", 10)

    storage.clear("k")
    storage.clear("unknown")

    assert storage.get("k") == 0
    assert storage.reset() == 1
    assert storage.get("other") == 0
