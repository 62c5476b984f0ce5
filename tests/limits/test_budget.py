"""What a turn is charged with, who is refused, and what the owner hears of it."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from app.domain.conversation import PromptMessage, Usage
from app.domain.errors import (
    BudgetExhausted,
    DailyLimitReached,
    ModelFailure,
    ModelInterrupted,
    ModelPaused,
    ModelRateLimited,
    ModelTimeout,
    ModelUnavailable,
    ServiceError,
)
from app.limits.budget import Meter, Spending
from app.limits.estimate import estimate_prompt, estimate_text
from app.settings import Budgets
from tests.turn_parts import CLIENT, MAX_OUTPUT_TOKENS, a_meter

PROMPT = [PromptMessage("system", "Be brief."), PromptMessage("user", "What are your hours?")]
ONE_TURN = estimate_prompt(PROMPT) + MAX_OUTPUT_TOKENS
SIX_HOURS_BEFORE_MIDNIGHT = 1_800_000_000 // 86_400 * 86_400 + 18 * 3600


def spending(
    *,
    was_asked: bool = True,
    usage: Usage | None = None,
    said: str = "",
    failure: ServiceError | None = None,
    was_cut: bool = False,
    **more: Any,
) -> Spending:
    return Spending(was_asked, usage, said, len(said.split()), failure, was_cut=was_cut, **more)


def unreached() -> ModelFailure:
    failure = ModelUnavailable()
    failure.is_free = True
    return failure


def test_recorded_usage_is_charged() -> None:
    reservation = a_meter().reserve(CLIENT, "s-1", PROMPT)

    assert reservation.price(spending(usage=Usage(30, 12), said="Nine to five.")) == 42


@pytest.mark.parametrize("usage", [None, Usage(0, 0)], ids=["none", "of nought"])
def test_without_usage_prompt_and_words_are_charged(usage: Usage | None) -> None:
    said = "Nine to five, every day but Sunday."
    reservation = a_meter().reserve(CLIENT, "s-1", PROMPT)

    price = reservation.price(spending(usage=usage, said=said))

    assert price == estimate_prompt(PROMPT) + estimate_text(said)


@pytest.mark.parametrize("failure", [unreached, ModelPaused, ModelRateLimited])
def test_what_no_provider_charges_for_is_free(failure: Callable[[], ServiceError]) -> None:
    reservation = a_meter().reserve(CLIENT, "s-1", PROMPT)

    assert reservation.price(spending(failure=failure())) == 0


def test_a_server_that_failed_has_read_the_prompt() -> None:
    reservation = a_meter().reserve(CLIENT, "s-1", PROMPT)

    price = reservation.price(spending(failure=ModelUnavailable()))

    assert price == estimate_prompt(PROMPT)


@pytest.mark.parametrize("said", ["", "Nine"])
@pytest.mark.parametrize(
    ("failure", "was_cut"), [(ModelTimeout(), False), (ModelInterrupted(), False), (None, True)]
)
def test_a_turn_of_which_nobody_knows_the_end_costs_all_that_was_taken(
    failure: ServiceError | None, was_cut: bool, said: str
) -> None:
    reservation = a_meter().reserve(CLIENT, "s-1", PROMPT)

    assert reservation.price(spending(said=said, failure=failure, was_cut=was_cut)) == ONE_TURN


@pytest.mark.parametrize("said", ["", "Nine"])
@pytest.mark.parametrize("failure", [None, ModelUnavailable(), ModelRateLimited()])
def test_thoughts_that_nobody_counted_cost_all_that_was_taken(
    said: str, failure: ServiceError | None
) -> None:
    reservation = a_meter().reserve(CLIENT, "s-1", PROMPT)

    price = reservation.price(spending(said=said, failure=failure, has_thought=True))

    assert price == ONE_TURN


def test_thoughts_that_were_counted_cost_what_they_cost() -> None:
    reservation = a_meter().reserve(CLIENT, "s-1", PROMPT)

    assert reservation.price(spending(usage=Usage(30, 12), has_thought=True)) == 42


@pytest.mark.parametrize(
    ("first", "cost"),
    [
        (unreached(), 0),
        (ModelRateLimited(), 0),
        (ModelUnavailable(), estimate_prompt(PROMPT)),
        (ModelTimeout(), ONE_TURN),
        (ModelInterrupted(), ONE_TURN),
    ],
)
def test_model_that_was_asked_first_is_paid_for_what_it_may_have_done(
    first: ModelFailure, cost: int
) -> None:
    reservation = a_meter().reserve(CLIENT, "s-1", PROMPT)
    both = ModelTimeout()
    both.attempts = (first, ModelTimeout())
    neither = ModelUnavailable()
    neither.attempts = (first, ModelRateLimited())

    told = reservation.price(spending(usage=Usage(30, 12), first_failure=first))
    silent = reservation.price(spending(failure=both, first_failure=first))
    refused = reservation.price(spending(failure=neither))

    assert (told, silent, refused) == (42 + cost, ONE_TURN + cost, cost)


def test_one_that_said_more_than_it_might_costs_what_it_said() -> None:
    said = "word " * 2 * MAX_OUTPUT_TOKENS
    reservation = a_meter().reserve(CLIENT, "s-1", PROMPT)

    price = reservation.price(spending(said=said, was_cut=True))

    assert price == estimate_prompt(PROMPT) + estimate_text(said)


def test_usage_that_was_told_on_the_way_is_not_the_end_of_it() -> None:
    reservation = a_meter().reserve(CLIENT, "s-1", PROMPT)

    price = reservation.price(spending(usage=Usage(30, 2), said="Nine to", was_cut=True))

    assert price == 30 + MAX_OUTPUT_TOKENS


def test_turn_that_never_asked_the_model_is_free() -> None:
    reservation = a_meter().reserve(CLIENT, "s-1", PROMPT)

    assert reservation.price(spending(was_asked=False)) == 0


def test_reservation_is_spent_until_it_is_settled_once() -> None:
    meter = a_meter(Budgets(service=10_000))
    reservation = meter.reserve(CLIENT, "s-1", PROMPT)
    held = meter.spent_today

    assert reservation.settle(spending(usage=Usage(5, 2), said="Hi")) == 7
    reservation.settle(spending(was_asked=False))
    reservation.give_back()

    assert (held, meter.spent_today) == (ONE_TURN, 7)


def test_longer_prompt_takes_the_difference() -> None:
    meter = a_meter(Budgets(service=10_000))
    longer = [PROMPT[0], PromptMessage("user", "word " * 200), *PROMPT[1:]]
    reservation = meter.reserve(CLIENT, "s-1", PROMPT)

    reservation.cover(estimate_prompt(longer))
    reservation.cover(estimate_prompt(PROMPT))

    assert meter.spent_today == estimate_prompt(longer) + MAX_OUTPUT_TOKENS


def test_prompt_that_outgrows_the_budget_is_refused_and_keeps_its_hold() -> None:
    meter = a_meter(Budgets(service=ONE_TURN + 50))
    reservation = meter.reserve(CLIENT, "s-1", PROMPT)

    with pytest.raises(BudgetExhausted):
        reservation.cover(estimate_prompt(PROMPT) + 51)

    assert meter.spent_today == ONE_TURN


def test_spent_service_answers_in_the_owners_words_until_midnight() -> None:
    budgets = Budgets(service=ONE_TURN, exhausted_message="Closed for today.")
    meter = a_meter(budgets, clock=lambda: SIX_HOURS_BEFORE_MIDNIGHT)
    meter.reserve(CLIENT, "s-1", PROMPT)

    with pytest.raises(BudgetExhausted) as refused:
        meter.reserve("192.0.2.8", "s-2", PROMPT)

    assert (str(refused.value), refused.value.retry_after_s) == ("Closed for today.", 6 * 3600)


@pytest.mark.parametrize(
    ("budgets", "client", "session"),
    [
        (Budgets(client=ONE_TURN), CLIENT, "s-2"),
        (Budgets(session=ONE_TURN), "192.0.2.8", "s-1"),
    ],
    ids=["client", "session"],
)
def test_one_who_had_a_share_of_the_day_is_refused_alone(
    budgets: Budgets, client: str, session: str
) -> None:
    meter = a_meter(budgets)
    meter.reserve(CLIENT, "s-1", PROMPT)

    with pytest.raises(DailyLimitReached):
        meter.reserve(client, session, PROMPT)

    meter.reserve("192.0.2.9", "s-9", PROMPT)


def test_tomorrow_there_is_budget_again() -> None:
    now = float(SIX_HOURS_BEFORE_MIDNIGHT)
    meter = a_meter(Budgets(service=ONE_TURN), clock=lambda: now)
    meter.reserve(CLIENT, "s-1", PROMPT)

    now += 6 * 3600

    meter.reserve(CLIENT, "s-1", PROMPT)
    assert meter.spent_today == ONE_TURN


def test_owner_hears_of_80_and_of_100_percent_once_a_day(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    told: list[str] = []
    meter = a_meter(Budgets(service=5 * ONE_TURN), tell=told.append)
    for _ in range(5):
        meter.reserve(CLIENT, "s-1", PROMPT)
    for _ in range(2):
        with pytest.raises(BudgetExhausted):
            meter.reserve(CLIENT, "s-1", PROMPT)

    assert [record.getMessage() for record in caplog.records] == [
        f"80 % of the day's budget of {5 * ONE_TURN} tokens is spent",
        f"The day's budget of {5 * ONE_TURN} tokens is spent",
    ]
    assert dict(meter.counters) == {"near": 1, "exhausted": 1, "refused": 2}
    assert told == ["budget.warning", "budget.exhausted"]


def test_estimates_are_counted_beside_what_was_recorded() -> None:
    meter: Meter = a_meter()
    meter.reserve(CLIENT, "s-1", PROMPT).price(spending(usage=Usage(20, 5)))

    assert dict(meter.counters) == {"estimated": estimate_prompt(PROMPT), "recorded": 20}


def test_count_below_that_of_the_deltas_was_an_early_one() -> None:
    said = "Nine to five, every day but Sunday."
    reservation = a_meter().reserve(CLIENT, "s-1", PROMPT)

    price = reservation.price(spending(usage=Usage(50, 1), said=said))

    assert price == 50 + estimate_text(said)


@pytest.mark.parametrize("failure", [ModelInterrupted(), ModelTimeout()])
def test_count_of_an_answer_that_broke_off_is_no_end(failure: ModelFailure) -> None:
    reservation = a_meter().reserve(CLIENT, "s-1", PROMPT)

    price = reservation.price(spending(usage=Usage(50, 1), said="Nine", failure=failure))

    assert price == 50 + MAX_OUTPUT_TOKENS


def test_model_that_failed_behind_words_may_have_said_more() -> None:
    failure = ModelUnavailable()
    failure.has_spoken = True
    reservation = a_meter().reserve(CLIENT, "s-1", PROMPT)

    assert reservation.price(spending(said="Nine", failure=failure)) == ONE_TURN
