"""Admissions for tests that are about something else: everybody may come in, nothing is scarce."""

from collections.abc import Callable, Sequence

from app.domain.conversation import PromptMessage
from app.limits.budget import Budgets, Meter, Reservation
from app.limits.ledger import Ledger, MemoryLedger
from app.turns.admission import Admission, Guard

CLIENT = "192.0.2.7"
MAX_OUTPUT_TOKENS = 100


def a_meter(
    budgets: Budgets | None = None,
    ledger: Ledger | None = None,
    clock: Callable[[], float] = lambda: 1_800_000_000.0,
) -> Meter:
    """A meter; without budgets, one that only counts."""
    return Meter(
        ledger or MemoryLedger(lambda _day: 0), budgets or Budgets(), MAX_OUTPUT_TOKENS, clock
    )


def an_admission(
    meter: Meter | None = None, guards: Sequence[Guard] = (), seats: int = 0
) -> Admission:
    return Admission(meter or a_meter(), guards, seats)


def a_reservation(meter: Meter | None = None) -> Reservation:
    return an_admission(meter).admit(CLIENT, "session-1", [PromptMessage("user", "Hello")])
