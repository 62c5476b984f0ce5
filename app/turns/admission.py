"""Whether a turn may begin: the owner's switches, the model's health, seats and budget."""

from collections import Counter
from collections.abc import Callable, Sequence

from app.domain.conversation import PromptMessage, Usage
from app.domain.errors import ModelFailure, Overloaded
from app.limits.budget import Meter, Reservation, Spending
from app.limits.prompts import Join, Prompt

_SEAT_RETRY_S = 5.0

Guard = Callable[[], None]
"""Returns when a turn may begin, and raises what stands in the way."""


class Admission:
    """Lets turns in, each with a ticket.

    ``seats`` bounds the turns of one client that run in this process; 0 is
    no limit.
    """

    def __init__(self, meter: Meter, guards: Sequence[Guard] = (), seats: int = 0) -> None:
        self._meter = meter
        self._guards = guards
        self._seats = seats
        self._taken: Counter[str] = Counter()

    def admit(self, client: str, session_id: str, prompt: Sequence[PromptMessage]) -> "Ticket":
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
            return Ticket(self, client, self._meter.reserve(client, session_id, prompt))
        except BaseException:
            self.free(client)
            raise

    def free(self, client: str) -> None:
        """Give a seat back."""
        self._taken[client] -= 1
        if self._taken[client] <= 0:
            del self._taken[client]


class Ticket:
    """What one turn was let in with; give it back when the turn has ended."""

    __slots__ = ("_admission", "_client", "_is_valid", "_reservation")

    def __init__(self, admission: Admission, client: str, reservation: Reservation) -> None:
        self._admission = admission
        self._client = client
        self._reservation = reservation
        self._is_valid = True

    def fit(self, said: Prompt, max_tokens: int, join: Join) -> tuple[Prompt, int]:
        """Return the prompt of a conversation, and how many tokens it has at most."""
        return self._reservation.fit(said, max_tokens, join)

    def cover(self, prompt_tokens: int) -> None:
        """Take more tokens where the prompt is longer than it was known to be.

        Raises:
            BudgetExhausted, DailyLimitReached: nothing more was taken.
        """
        self._reservation.cover(prompt_tokens)

    def cover_again(self, answer_tokens: int) -> bool:
        """Take the tokens of a second attempt; answers whether there are that many."""
        return self._reservation.cover_again(answer_tokens)

    def estimate(
        self, usage: Usage | None, answer_tokens: int, first_failure: ModelFailure | None
    ) -> int:
        """Return what an attempt cost that took all of its ``answer_tokens``.

        ``first_failure`` is of the model that was asked before, in vain.
        """
        return self._reservation.estimate(usage, answer_tokens, first_failure)

    def settle(self, spending: Spending) -> int:
        """Pay for what the turn did, and return how many tokens that was."""
        tokens = self._reservation.price(spending)
        self._reservation.settle(tokens)
        return tokens

    def give_back(self) -> None:
        """Free the seat, and the tokens where nothing was paid. Again, it does nothing."""
        if self._is_valid:
            self._is_valid = False
            self._admission.free(self._client)
            self._reservation.settle(0)
