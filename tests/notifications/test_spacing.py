"""How far apart somebody is told, by what a real store remembers."""

import pytest

from app.domain.errors import StorageUnavailable
from app.notifications.delivery import NotYet
from app.notifications.spacing import Spacing
from app.storage.protocol import ConversationStore
from tests.notifications.outbox import MsClock, Threads

APART_S = 1800


@pytest.fixture
def spacing(store: ConversationStore, now: MsClock) -> Spacing:
    return Spacing(store, "visitor", APART_S * 1000, now)


def test_a_stretch_was_told_of_by_whomever(
    spacing: Spacing, store: ConversationStore, now: MsClock
) -> None:
    spacing.note("c1", "m1")

    elsewhere = Spacing(store, "visitor", APART_S * 1000, now)
    assert elsewhere.was_told("c1", "m1")
    assert not elsewhere.was_told("c1", "m2")
    assert not elsewhere.was_told("c2", "m1")
    assert not Spacing(store, "email", APART_S * 1000, now).was_told("c1", "m1")


@pytest.mark.parametrize("offset_s", [0, 1, 599, 600, 1799])
def test_two_are_apart_and_hardly_more(spacing: Spacing, now: MsClock, offset_s: int) -> None:
    now.advance(offset_s)
    told_at = now()
    spacing.note("c1", None)

    now.advance(1)
    with pytest.raises(NotYet) as later:
        spacing.wait("c1")
    assert APART_S <= (later.value.at - told_at) / 1000 <= APART_S + 600
    now.now = later.value.at - 1
    with pytest.raises(NotYet):
        spacing.wait("c1")
    now.advance(0.001)
    spacing.wait("c1")
    spacing.wait("c2")


def test_a_lease_without_a_day_between_is_had_again(store: ConversationStore) -> None:
    for _ in range(2):
        assert store.begin_job("notifications", "a", lease_s=60, every_s=0)
    assert not store.begin_job("notifications", "b", lease_s=60, every_s=0)


def test_what_the_store_would_not_note_is_known_to_this_process(
    threads: Threads, now: MsClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_token_id: str) -> bool:
        raise StorageUnavailable

    spacing = Spacing(threads, "email", 120_000, now)  # type: ignore[arg-type]
    monkeypatch.setattr(threads, "revoke", away)

    spacing.note("c1", "m0")

    assert spacing.was_told("c1", "m0")
    with pytest.raises(NotYet):
        spacing.wait("c1")
    now.advance(200)
    spacing.wait("c1")
