"""What counts for whom, and what a visitor is told for whom it is too much."""

import pytest

from app.domain.conversation import DEFAULT_ASSISTANT
from app.domain.errors import DailyLimitReached, SendingTooFast, TooManyRequests, TooManySessions
from app.limits.storage import Limit
from app.web import rates
from app.web.rates import Limits
from tests.data import some_settings

CLIENT = "192.0.2.7"


def limits(**variables: str) -> Limits:
    return rates.make(some_settings(**variables), None)


def refused(counting: Limits, session: str, client: str = CLIENT) -> type[Exception] | None:
    try:
        counting.count_question(DEFAULT_ASSISTANT, client, session)
    except TooManyRequests as error:
        return type(error)
    return None


def test_session_that_asks_too_fast_is_told_so_and_no_other_is() -> None:
    counting = limits(LIMIT_SESSION_PER_MINUTE="2")

    assert [refused(counting, "s-1") for _ in range(3)] == [None, None, SendingTooFast]
    assert refused(counting, "s-2") is None


def test_who_is_refused_is_told_when_the_window_ends() -> None:
    counting = limits(LIMIT_SESSION_PER_MINUTE="1")
    counting.count_question(DEFAULT_ASSISTANT, CLIENT, "s-1")

    with pytest.raises(SendingTooFast) as refusal:
        counting.count_question(DEFAULT_ASSISTANT, CLIENT, "s-1")

    assert refusal.value.retry_after_s is not None
    assert 59 < refusal.value.retry_after_s <= 60


@pytest.mark.parametrize("limit", ["LIMIT_SESSION_PER_DAY", "LIMIT_IP_PER_DAY"])
def test_day_of_a_session_and_of_an_address_ends(limit: str) -> None:
    counting = limits(**{limit: "1"})

    assert [refused(counting, "s-1") for _ in range(2)] == [None, DailyLimitReached]


def test_limit_of_an_address_holds_for_all_its_sessions() -> None:
    counting = limits(LIMIT_IP_PER_DAY="2")

    found = [refused(counting, f"s-{number}") for number in range(3)]

    assert found == [None, None, DailyLimitReached]
    assert refused(counting, "s-4", "192.0.2.8") is None


def test_what_the_minute_refuses_does_not_fill_the_day() -> None:
    counting = limits(LIMIT_SESSION_PER_MINUTE="1", LIMIT_IP_PER_DAY="2")
    for _ in range(5):
        refused(counting, "s-1")

    assert refused(counting, "s-2") is None


def test_nought_is_no_limit() -> None:
    counting = limits(LIMIT_SESSION_PER_MINUTE="0", LIMIT_SESSION_PER_DAY="0", LIMIT_IP_PER_DAY="0")

    assert {refused(counting, "s-1") for _ in range(50)} == {None}


def test_address_that_opens_too_many_sessions_is_told_so() -> None:
    counting = limits(LIMIT_NEW_SESSIONS_PER_HOUR="1")
    counting.count_new_session(DEFAULT_ASSISTANT, CLIENT)

    with pytest.raises(TooManySessions):
        counting.count_new_session(DEFAULT_ASSISTANT, CLIENT)


def test_what_is_taken_back_did_not_count() -> None:
    counting, limit = limits(), Limit("tries", 1, 60)
    for _ in range(3):
        counting.count((limit, CLIENT))
        counting.take_back((limit, CLIENT))

    counting.count((limit, CLIENT))
    with pytest.raises(TooManyRequests):
        counting.count((limit, CLIENT))


def test_limits_of_two_applications_are_apart() -> None:
    one, other = (limits(LIMIT_NEW_SESSIONS_PER_HOUR="1") for _ in range(2))

    one.count_new_session(DEFAULT_ASSISTANT, CLIENT)
    other.count_new_session(DEFAULT_ASSISTANT, CLIENT)
