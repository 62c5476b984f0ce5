"""What is looked at now and then: when it is looked at, and what holds when it cannot be."""

from collections.abc import Iterator

import gevent
import pytest

from app.domain.errors import StorageUnavailable
from app.storage.cached_read import CachedRead
from tests.clock import Clock


class Looked:
    """Counts the looks; ``fails`` makes them fail."""

    def __init__(self) -> None:
        self.count = 0
        self.fails = False

    def __call__(self) -> int:
        if self.fails:
            raise StorageUnavailable
        self.count += 1
        return self.count


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def look() -> Looked:
    return Looked()


@pytest.fixture
def cached(look: Looked, clock: Clock) -> Iterator[CachedRead[int]]:
    yield CachedRead(look, fresh_s=2, stale_s=10, clock=clock)
    gevent.idle()


def test_first_asker_waits_for_the_first_look(cached: CachedRead[int]) -> None:
    assert cached.get() == 1


def test_fresh_value_is_not_looked_at(cached: CachedRead[int], look: Looked, clock: Clock) -> None:
    cached.get()
    clock.advance(2)

    assert (cached.get(), look.count) == (1, 1)


def test_older_value_is_looked_at_behind_the_askers_back(
    cached: CachedRead[int], look: Looked, clock: Clock
) -> None:
    cached.get()
    clock.advance(3)

    during = cached.get()
    gevent.sleep(0)

    assert (during, cached.get(), look.count) == (1, 2, 2)


def test_stale_value_is_looked_at_first(cached: CachedRead[int], clock: Clock) -> None:
    cached.get()
    clock.advance(11)

    assert cached.get() == 2


def test_what_was_seen_holds_while_the_store_is_away(
    cached: CachedRead[int], look: Looked, clock: Clock
) -> None:
    cached.get()
    look.fails = True
    for _ in range(4):
        clock.advance(2.5)
        assert cached.get() == 1
        gevent.sleep(0)

    clock.advance(0.1)
    with pytest.raises(StorageUnavailable):  # by now it says nothing any more
        cached.get()


def test_never_seen_is_unavailable(cached: CachedRead[int], look: Looked) -> None:
    look.fails = True

    with pytest.raises(StorageUnavailable):
        cached.get()

    look.fails = False
    assert cached.get() == 1


def test_what_the_caller_wrote_is_seen_at_once(cached: CachedRead[int], look: Looked) -> None:
    cached.put(7)

    assert (cached.get(), look.count) == (7, 0)
