"""Whether a turn may begin: the owner's switches, the model's health, seats and budget."""

from collections.abc import Callable, Sequence
from functools import partial

from app.assistants import Assistant
from app.domain.conversation import PromptMessage
from app.domain.errors import Overloaded
from app.limits.budget import Reservation

_SEAT_RETRY_S = 5.0

Guard = Callable[[], None]
"""Returns when a turn may begin, and raises what stands in the way."""


class Admission:
    """Lets turns in, each with a reservation.

    ``guards`` are those of all assistants; each has its own for its models.
    """

    def __init__(self, guards: Sequence[Guard] = ()) -> None:
        self._guards = guards
        self._taken: dict[tuple[str, str], int] = {}

    def admit(
        self, assistant: Assistant, client: str, session_id: str, prompt: Sequence[PromptMessage]
    ) -> Reservation:
        """Take a seat, and the tokens that a prompt and its answer may cost.

        A client's seats are the turns with one assistant that run, or are read, in
        this process.

        Raises:
            Overloaded: the client has taken its seats.
            SwitchedOff, ModelPaused, BudgetExhausted, DailyLimitReached,
            StorageUnavailable: see the guards and the meter.
        """
        for guard in self._guards:
            guard()
        assistant.check_models()
        free = self.take_seat(assistant, client)
        try:
            reservation = assistant.meter.reserve(client, session_id, prompt)
        except BaseException:
            free()
            raise
        reservation.on_return = free
        return reservation

    def take_seat(self, assistant: Assistant, client: str) -> Callable[[], None]:
        """Take a seat alone, as one does who reads; return what gives it back.

        Raises:
            Overloaded: the client has taken its seats.
        """
        who, seats = (assistant.id, client), assistant.settings.limits.streams_per_ip
        taken = self._taken.get(who, 0)
        if 0 < seats <= taken:
            raise Overloaded(
                "Too many answers are being written for your network. Please wait a moment",
                retry_after_s=_SEAT_RETRY_S,
            )
        self._taken[who] = taken + 1
        return partial(self._free, who)

    def _free(self, who: tuple[str, str]) -> None:
        left = self._taken.pop(who, 0) - 1
        if left > 0:
            self._taken[who] = left
