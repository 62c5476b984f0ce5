"""What any store must do with tokens that are used up before their time."""

from app.storage.protocol import REVOCATION_MEMORY_DAYS, ConversationStore
from tests.storage.stores import Advance

HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS


def test_a_token_is_good_until_it_is_revoked(store: ConversationStore) -> None:
    before = store.is_revoked("one")

    store.revoke("one")

    assert (before, store.is_revoked("one"), store.is_revoked("two")) == (False, True, False)


def test_only_the_first_revocation_is_the_first(store: ConversationStore) -> None:
    assert [store.revoke("one"), store.revoke("one"), store.revoke("two")] == [True, False, True]


def test_revocations_are_remembered_for_as_long_as_said(
    store: ConversationStore, advance: Advance
) -> None:
    store.revoke("one")

    advance(REVOCATION_MEMORY_DAYS * DAY_MS - HOUR_MS)
    store.revoke("two")
    remembered = store.is_revoked("one")
    advance(2 * HOUR_MS)
    store.revoke("three")

    assert (remembered, store.is_revoked("one"), store.is_revoked("two")) == (True, False, True)
