"""The door to a turn: guards, seats, and what a reservation gives back."""

import pytest

from app.domain.conversation import PromptMessage, Usage
from app.domain.errors import BudgetExhausted, Overloaded, SwitchedOff
from app.limits.budget import Budgets, Spending
from app.turns.admission import Admission
from tests.doors import CLIENT, MAX_OUTPUT_TOKENS, a_meter, an_admission

PROMPT = [PromptMessage("user", "Hello")]
USED = Spending(was_asked=True, usage=Usage(5, 2), said="Hi", delta_count=1, failure=None)


def admit(admission: Admission, client: str = CLIENT) -> object:
    return admission.admit(client, "s-1", PROMPT)


def test_client_has_so_many_seats_and_another_has_its_own() -> None:
    admission = an_admission(seats=2)
    reservations = [admission.admit(CLIENT, "s-1", PROMPT) for _ in range(2)]

    with pytest.raises(Overloaded, match="your network") as refused:
        admit(admission)
    admit(admission, "192.0.2.8")
    reservations[0].give_back()

    admit(admission)
    assert refused.value.retry_after_s == 5


def test_reservation_is_given_back_once() -> None:
    admission = an_admission(seats=2)
    reservation = admission.admit(CLIENT, "s-1", PROMPT)
    admit(admission)

    for _ in range(3):
        reservation.give_back()
    admit(admission)

    with pytest.raises(Overloaded):
        admit(admission)


def test_unused_reservation_costs_nothing() -> None:
    meter = a_meter()
    reservation = an_admission(meter).admit(CLIENT, "s-1", PROMPT)
    reserved = meter.spent_today

    reservation.give_back()

    assert reserved > MAX_OUTPUT_TOKENS
    assert meter.spent_today == 0


def test_settled_reservation_keeps_its_price() -> None:
    meter = a_meter()
    reservation = an_admission(meter).admit(CLIENT, "s-1", PROMPT)

    paid = reservation.settle(USED)
    reservation.give_back()

    assert (paid, meter.spent_today) == (7, 7)


def test_guard_stands_before_seat_and_budget() -> None:
    meter = a_meter()

    def guard() -> None:
        raise SwitchedOff

    with pytest.raises(SwitchedOff):
        admit(an_admission(meter, [guard], seats=1))

    assert meter.spent_today == 0


def test_one_whom_the_budget_refuses_takes_no_seat() -> None:
    admission = an_admission(a_meter(Budgets(service=10)), seats=1)

    for _ in range(3):
        with pytest.raises(BudgetExhausted):
            admit(admission)
