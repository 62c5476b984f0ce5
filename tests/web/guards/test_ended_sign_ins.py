"""Which sign-ins were ended, while the store answers and while it does not."""

import pytest

from app.domain.errors import StorageUnavailable
from app.storage.protocol import ConversationStore
from app.web.guards.ended_sign_ins import EndedSignIns
from tests.clock import Clock


class Flaky:
    """A store that can be away; only what is asked here."""

    def __init__(self) -> None:
        self.is_away = False
        self.revoked: set[str] = set()

    def revoke(self, token_id: str) -> bool:
        self._answer()
        self.revoked.add(token_id)
        return True

    def is_revoked(self, token_id: str) -> bool:
        self._answer()
        return token_id in self.revoked

    def _answer(self) -> None:
        if self.is_away:
            raise StorageUnavailable


@pytest.fixture
def flaky() -> Flaky:
    return Flaky()


@pytest.fixture
def ended(flaky: Flaky, clock: Clock) -> EndedSignIns:
    return EndedSignIns(flaky, clock)  # type: ignore[arg-type]


def test_what_one_process_ends_is_ended_for_the_others(store: ConversationStore) -> None:
    one, other = EndedSignIns(store), EndedSignIns(store)
    before = other.includes("a")

    one.end("a")

    assert (before, other.includes("a"), other.includes("b")) == (False, True, False)


def test_store_that_is_away_is_believed_for_a_minute(
    ended: EndedSignIns, flaky: Flaky, clock: Clock
) -> None:
    ended.includes("a")
    flaky.is_away = True
    clock.advance(60)
    within = [ended.includes("a"), ended.includes("a")]
    clock.advance(1)

    with pytest.raises(StorageUnavailable):
        ended.includes("a")
    assert within == [False, False]


def test_store_that_is_away_vouches_for_nobody_else(ended: EndedSignIns, flaky: Flaky) -> None:
    ended.includes("a")
    ended.end("a")
    flaky.is_away = True

    for sign_in_id in ("a", "never seen"):
        with pytest.raises(StorageUnavailable):
            ended.includes(sign_in_id)


def test_sign_out_that_is_not_stored_is_told(ended: EndedSignIns, flaky: Flaky) -> None:
    flaky.is_away = True

    with pytest.raises(StorageUnavailable):
        ended.end("a")


def test_memory_holds_a_minute_of_sign_ins(ended: EndedSignIns, clock: Clock) -> None:
    for number in range(1000):
        ended.includes(f"sign-in {number}")
        clock.advance(1)

    assert len(ended._seen_at) <= 62
