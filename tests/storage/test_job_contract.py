"""What any store must do with a job that one process of many does."""

import pytest

from app.storage.protocol import ConversationStore
from tests.storage.stores import Advance

HOUR_MS = 60 * 60 * 1000
LEASE_S = 7200.0
DAY_S = 86_400.0


def begin(store: ConversationStore, holder: str, name: str = "purge") -> bool:
    return store.begin_job(name, holder, lease_s=LEASE_S, every_s=DAY_S)


def test_one_of_many_has_the_job(store: ConversationStore) -> None:
    assert [begin(store, holder) for holder in "abc"] == [True, False, False]


def test_jobs_do_not_know_each_other(store: ConversationStore) -> None:
    assert [begin(store, "a", "purge"), begin(store, "b", "other")] == [True, True]


def test_whoever_has_it_may_prolong_the_lease(store: ConversationStore, advance: Advance) -> None:
    begin(store, "a")
    advance(int(LEASE_S * 1000) - HOUR_MS)

    assert begin(store, "a")
    advance(HOUR_MS)
    assert not begin(store, "b")


def test_the_job_of_one_that_died_is_taken_over(store: ConversationStore, advance: Advance) -> None:
    begin(store, "a")

    advance(int(LEASE_S * 1000) + 1)

    assert [begin(store, "b"), begin(store, "a")] == [True, False]


@pytest.mark.parametrize("holder", ["a", "b"])
def test_a_job_that_is_done_waits_for_its_time(
    store: ConversationStore, advance: Advance, holder: str
) -> None:
    begin(store, "a")
    store.end_job("purge", "a")

    advance(int(DAY_S * 1000) - HOUR_MS)
    early = begin(store, holder)
    advance(2 * HOUR_MS)

    assert (early, begin(store, holder)) == (False, True)


def test_only_whoever_has_the_job_ends_it(store: ConversationStore, advance: Advance) -> None:
    begin(store, "a")
    advance(int(LEASE_S * 1000) + 1)
    begin(store, "b")

    store.end_job("purge", "a")

    assert begin(store, "b")
