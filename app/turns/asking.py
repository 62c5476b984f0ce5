"""Asking the model for one answer, and what came of it."""

import logging
from collections.abc import Sequence

from app.completion.endings import raise_limit
from app.completion.protocol import CompletionModel
from app.domain.conversation import PromptMessage
from app.domain.errors import ModelInterrupted, ServiceError
from app.limits.budget import Reservation
from app.turns.endings import Asked
from app.turns.transcript import Transcript

log = logging.getLogger(__name__)


class Interrupted(Exception):
    """Thrown into a greenlet that asks: the model is left, and nothing has failed."""


class Asking:
    """Asks a model once, and once more where all that it might say went on thoughts.

    What it says goes into the transcript. ``asked`` is kept up to date: whoever
    asks may be interrupted at any time, by ``Interrupted`` thrown into its greenlet.
    """

    __slots__ = ("_max_output_tokens", "_model", "_prompt", "_reservation", "_transcript", "asked")

    def __init__(
        self,
        model: CompletionModel,
        prompt: Sequence[PromptMessage],
        transcript: Transcript,
        reservation: Reservation,
        max_output_tokens: int,
    ) -> None:
        self._model = model
        # Until the first word: an attempt that comes to none is made once more.
        self._prompt = prompt
        self._transcript = transcript
        self._reservation = reservation
        self._max_output_tokens = max_output_tokens
        self.asked = Asked()

    def run(self, request_id: str | None) -> None:
        """Return when the model has ended or was left; ``asked`` tells how."""
        asked = self.asked
        asked.was_asked = True
        self._transcript.on_first = self._forget_prompt
        second_limit = None
        try:
            while True:
                try:
                    self._attempt(request_id, second_limit)
                    break
                except ModelInterrupted as failure:
                    if not failure.ran_out or second_limit is not None:
                        raise
                    second_limit = self._afford_second()
                    if second_limit is None:
                        raise
        except Interrupted:
            pass
        except ServiceError as error:
            asked.failure = error
        except Exception:  # a bug must not cost what was said, nor hold the session's lease
            log.exception("A model ended in an unexpected error")
            asked.failure = ServiceError()

    def _attempt(self, request_id: str | None, second_limit: int | None) -> None:
        with self._model.stream(
            self._prompt, request_id=request_id, second_limit=second_limit
        ) as completion:
            self.asked.completion = completion
            completion.relay(self._transcript.receive)

    def _afford_second(self) -> int | None:
        """Pay for a second attempt, with the highest limit that the budget covers."""
        asked, limit = self.asked, self._max_output_tokens
        outcome = asked.outcome
        for second_limit in (raise_limit(limit), limit):
            if self._reservation.cover_again(second_limit):
                asked.earlier_usage = outcome.usage
                asked.earlier_tokens = self._reservation.estimate(
                    outcome.usage, limit, outcome.first_failure
                )
                asked.completion = None  # it is paid for
                return second_limit
        return None

    def _forget_prompt(self) -> None:
        self._prompt = ()
