"""The door to a turn: guards, seats, and what a reservation gives back."""

from collections.abc import Callable, Sequence

import pytest

from app.domain.conversation import PromptMessage, Usage
from app.domain.errors import BudgetExhausted, Overloaded, SwitchedOff
from app.limits.budget import Meter, Reservation, Spending
from app.settings import Budgets
from app.turns.admission import Admission, Guard
from tests.turn_parts import CLIENT, MAX_OUTPUT_TOKENS, a_meter, an_assistant

PROMPT = [PromptMessage("user", "Hello")]
USED = Spending(was_asked=True, usage=Usage(5, 2), said="Hi", delta_count=1, failure=None)


def a_door(
    meter: Meter | None = None, guards: Sequence[Guard] = (), seats: int = 0
) -> Callable[..., Reservation]:
    """Admits clients to one assistant."""
    admission, assistant = Admission(guards), an_assistant(meter=meter, seats=seats)

    def admit(client: str = CLIENT) -> Reservation:
        return admission.admit(assistant, client, "s-1", PROMPT)

    return admit


def test_client_has_so_many_seats_and_another_has_its_own() -> None:
    admit = a_door(seats=2)
    reservations = [admit() for _ in range(2)]

    with pytest.raises(Overloaded, match="your network") as refused:
        admit()
    admit("192.0.2.8")
    reservations[0].give_back()

    admit()
    assert refused.value.retry_after_s == 5


def test_reservation_is_given_back_once() -> None:
    admit = a_door(seats=2)
    reservation = admit()
    admit()

    for _ in range(3):
        reservation.give_back()
    admit()

    with pytest.raises(Overloaded):
        admit()


def test_unused_reservation_costs_nothing() -> None:
    meter = a_meter()
    reservation = a_door(meter)()
    reserved = meter.spent_today

    reservation.give_back()

    assert reserved > MAX_OUTPUT_TOKENS
    assert meter.spent_today == 0


def test_settled_reservation_keeps_its_price() -> None:
    meter = a_meter()
    reservation = a_door(meter)()

    paid = reservation.settle(USED)
    reservation.give_back()

    assert (paid, meter.spent_today) == (7, 7)


def test_guard_stands_before_seat_and_budget() -> None:
    meter = a_meter()

    def guard() -> None:
        raise SwitchedOff

    with pytest.raises(SwitchedOff):
        a_door(meter, [guard], seats=1)()

    assert meter.spent_today == 0


def test_one_whom_the_budget_refuses_takes_no_seat() -> None:
    admit = a_door(a_meter(Budgets(service=10)), seats=1)

    for _ in range(3):
        with pytest.raises(BudgetExhausted):
            admit()


def test_seats_and_budgets_are_each_assistants_own() -> None:
    admission = Admission()
    shop, docs = (an_assistant(seats=1, name=name) for name in ("shop", "docs"))
    admission.admit(shop, CLIENT, "s-1", PROMPT)

    admission.admit(docs, CLIENT, "s-2", PROMPT)

    with pytest.raises(Overloaded):
        admission.admit(shop, CLIENT, "s-1", PROMPT)
    assert shop.meter.spent_today == docs.meter.spent_today > 0
