"""What is looked at now and then: when it is looked at, and what holds when it cannot be."""

from collections.abc import Iterator

import gevent
import pytest

from app.domain.errors import StorageUnavailable
from app.storage.cached_read import Glance
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
def glance(look: Looked, clock: Clock) -> Iterator[Glance[int]]:
    yield Glance(look, fresh_s=2, stale_s=10, clock=clock)
    gevent.idle()


def test_first_asker_waits_for_the_first_look(glance: Glance[int]) -> None:
    assert glance.get() == 1


def test_fresh_value_is_not_looked_at(glance: Glance[int], look: Looked, clock: Clock) -> None:
    glance.get()
    clock.advance(2)

    assert (glance.get(), look.count) == (1, 1)


def test_older_value_is_looked_at_behind_the_askers_back(
    glance: Glance[int], look: Looked, clock: Clock
) -> None:
    glance.get()
    clock.advance(3)

    during = glance.get()
    gevent.sleep(0)

    assert (during, glance.get(), look.count) == (1, 2, 2)


def test_stale_value_is_looked_at_first(glance: Glance[int], clock: Clock) -> None:
    glance.get()
    clock.advance(11)

    assert glance.get() == 2


def test_what_was_seen_holds_while_the_store_is_away(
    glance: Glance[int], look: Looked, clock: Clock
) -> None:
    glance.get()
    look.fails = True
    for _ in range(4):
        clock.advance(2.5)
        assert glance.get() == 1
        gevent.sleep(0)

    clock.advance(0.1)
    with pytest.raises(StorageUnavailable):  # by now it says nothing any more
        glance.get()


def test_never_seen_is_unavailable(glance: Glance[int], look: Looked) -> None:
    look.fails = True

    with pytest.raises(StorageUnavailable):
        glance.get()

    look.fails = False
    assert glance.get() == 1


def test_what_the_caller_wrote_is_seen_at_once(glance: Glance[int], look: Looked) -> None:
    glance.put(7)

    assert (glance.get(), look.count) == (7, 0)
