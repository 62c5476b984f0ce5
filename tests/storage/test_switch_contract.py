"""What any store must do with the owner's switches."""

from app.storage.protocol import ConversationStore


def test_no_switch_is_thrown_at_first(store: ConversationStore) -> None:
    assert store.read_state().switches == frozenset()


def test_thrown_switches_are_read_until_they_are_put_back(store: ConversationStore) -> None:
    store.set_switch("off", thrown=True)
    store.set_switch("other", thrown=True)
    both = store.read_state().switches

    store.set_switch("off", thrown=False)

    assert (both, store.read_state().switches) == ({"off", "other"}, {"other"})


def test_a_switch_set_again_stays_as_it_is(store: ConversationStore) -> None:
    for thrown in (True, True, False, False):
        store.set_switch("off", thrown=thrown)

    assert store.read_state().switches == frozenset()
