"""Whether a turn may begin: the owner's switches, the model's health, seats and budget."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from app.domain.conversation import PromptMessage
from app.domain.errors import Overloaded
from app.limits.budget import Meter, Reservation

_SEAT_RETRY_S = 5.0

Guard = Callable[[], None]
"""Returns when a turn may begin, and raises what stands in the way."""


class Admission:
    """Lets turns in, each with a reservation.

    ``seats`` bounds the turns of one client that run in this process; 0 is
    no limit.
    """

    def __init__(self, meter: Meter, guards: Sequence[Guard] = (), seats: int = 0) -> None:
        self._meter = meter
        self._guards = guards
        self._seats = seats
        self._taken: Counter[str] = Counter()

    def admit(self, client: str, session_id: str, prompt: Sequence[PromptMessage]) -> Reservation:
        """Take a seat, and the tokens that a prompt and its answer may cost.

        Raises:
            Overloaded: the client has taken its seats.
            SwitchedOff, ModelPaused, BudgetExhausted, DailyLimitReached,
            StorageUnavailable: see the guards and the meter.
        """
        for guard in self._guards:
            guard()
        if self._seats and self._taken[client] >= self._seats:
            raise Overloaded(
                "Too many answers are being written for your network. Please wait a moment",
                retry_after_s=_SEAT_RETRY_S,
            )
        self._taken[client] += 1
        try:
            reservation = self._meter.reserve(client, session_id, prompt)
        except BaseException:
            self._free(client)
            raise
        reservation.on_return = partial(self._free, client)
        return reservation

    def _free(self, client: str) -> None:
        self._taken[client] -= 1
        if self._taken[client] <= 0:
            del self._taken[client]
