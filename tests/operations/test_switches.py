"""The kill switch: who sees it, and when."""

import gevent
import pytest

from app.domain.errors import StorageUnavailable, SwitchedOff
from app.operations.switches import Switches
from app.storage.cached_read import cache_state
from app.storage.protocol import ConversationStore
from tests.clock import Clock


@pytest.fixture
def switches(store: ConversationStore, clock: Clock) -> Switches:
    return Switches(store, cache_state(store, clock), "Back on Monday.")


def another(store: ConversationStore) -> Switches:
    """Return what another worker sees of the same store."""
    return Switches(store, cache_state(store))


def test_assistant_is_on_at_first(switches: Switches) -> None:
    switches.check()

    assert not switches.is_off


def test_switched_off_it_answers_in_the_owners_words(switches: Switches) -> None:
    switches.switch(off=True)

    with pytest.raises(SwitchedOff, match=r"^Back on Monday\.$") as refused:
        switches.check()
    assert refused.value.retry_after_s == 60


def test_without_words_of_the_owner_it_has_its_own(store: ConversationStore) -> None:
    switches = another(store)
    switches.switch(off=True)

    with pytest.raises(SwitchedOff, match=r"^The assistant is switched off right now\."):
        switches.check()


def test_switched_on_again_it_answers(switches: Switches) -> None:
    switches.switch(off=True)
    switches.switch(off=False)

    switches.check()


def test_busy_worker_sees_the_switch_of_another_within_seconds(
    store: ConversationStore, switches: Switches, clock: Clock
) -> None:
    switches.check()
    another(store).switch(off=True)

    clock.advance(2.1)
    switches.check()  # looks behind its back
    while not switches.is_off:
        gevent.sleep(0.001)


def test_idle_worker_sees_the_switch_at_its_next_turn(
    store: ConversationStore, switches: Switches, clock: Clock
) -> None:
    switches.check()
    another(store).switch(off=True)

    clock.advance(3600)

    with pytest.raises(SwitchedOff):
        switches.check()


def test_switch_outlives_the_process(store: ConversationStore, switches: Switches) -> None:
    switches.switch(off=True)

    assert another(store).is_off


def test_switch_that_could_not_be_stored_stays(
    store: ConversationStore, switches: Switches, monkeypatch: pytest.MonkeyPatch
) -> None:
    switches.check()

    class Broken:
        def set_switch(self, _name: str, *, thrown: bool) -> None:
            raise StorageUnavailable

    monkeypatch.setattr(switches, "_store", Broken())
    with pytest.raises(StorageUnavailable):
        switches.switch(off=True)

    assert not switches.is_off
