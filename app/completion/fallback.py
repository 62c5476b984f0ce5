"""One other model, for a turn that the first one does not begin to answer."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from types import TracebackType
from typing import Self

from app.completion.breaker import Breaker
from app.completion.mends import of_fallback
from app.completion.protocol import Completion, CompletionModel, Outcome, Receive
from app.domain.conversation import PromptMessage
from app.domain.errors import (
    ModelFailure,
    ModelInterrupted,
    ModelPaused,
    ModelRefused,
    cause_of,
    mend_of,
)


class FallbackModel:
    """A ``CompletionModel`` that asks ``other`` where ``model`` fails before the first word.

    For this turn only, once, and not where it is the message that is refused.
    ``other_name`` is who answered where its server does not tell.
    """

    def __init__(self, model: CompletionModel, other: CompletionModel, other_name: str) -> None:
        self._model = model
        self._other = other
        self._other_name = other_name

    @contextmanager
    def stream(
        self,
        prompt: Sequence[PromptMessage],
        *,
        request_id: str | None = None,
        second_limit: int | None = None,
    ) -> Iterator[Completion]:
        """Start a completion, of the one model or of the other."""

        def start(model: CompletionModel) -> AbstractContextManager[Completion]:
            return model.stream(prompt, request_id=request_id, second_limit=second_limit)

        with _Either(
            start(self._model), lambda: start(self._other), self._other_name
        ) as completion:
            yield completion

    def close(self) -> None:
        """Give back the connections of both."""
        self._model.close()
        self._other.close()


class _Either:
    """The completion of the first model, until it turns out that there will be none."""

    def __init__(
        self,
        first: AbstractContextManager[Completion],
        start_other: Callable[[], AbstractContextManager[Completion]],
        other_name: str,
    ) -> None:
        self._first = first
        self._start_other = start_other
        self._other_name = other_name
        self._first_failure: ModelFailure | None = None
        # What is open, and has to be left.
        self._run: AbstractContextManager[Completion] | None = None
        self._completion: Completion | None = None

    def __enter__(self) -> Self:
        try:
            self._completion = self._first.__enter__()
        except ModelFailure as failure:
            self._turn_to_other(failure)
        else:
            self._run = self._first
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._run is not None:
            self._run.__exit__(kind, error, trace)

    @property
    def outcome(self) -> Outcome:
        return self._completion.outcome if self._completion else Outcome()

    def relay(self, receive: Receive) -> bool:
        """Hand over the deltas of whoever answers."""
        completion = self._completion
        if completion is None:
            raise ModelInterrupted
        try:
            return completion.relay(receive)
        except ModelFailure as failure:
            if completion.outcome.has_begun or not _may_turn(failure):
                raise
            # Its breaker hears of it now, and of the other's failure the other's.
            self._leave(failure)
            if self._first_failure is not None:
                raise self._both(failure) from failure
            self._turn_to_other(failure)
        finally:
            outcome = completion.outcome
            if outcome.first_failure is not None:
                outcome.model = outcome.model or self._other_name
        return self.relay(receive)

    def _turn_to_other(self, failure: ModelFailure) -> None:
        """Ask the other model in place of the one that failed.

        Raises:
            ModelFailure: it failed as well, or is not to be asked.
        """
        if not _may_turn(failure):
            raise failure
        self._first_failure = failure
        run = self._start_other()
        try:
            self._completion = run.__enter__()
        except ModelFailure as second:
            raise self._both(second) from second
        self._completion.outcome.first_failure = failure
        self._run = run

    def _leave(self, failure: ModelFailure) -> None:
        run, self._run, self._completion = self._run, None, None
        if run is not None:
            run.__exit__(type(failure), failure, failure.__traceback__)

    def _both(self, second: ModelFailure) -> ModelFailure:
        """Return why nobody answers: the first model's failure, unless the message is at fault."""
        first = self._first_failure
        if first is None:
            return second
        if isinstance(second, ModelRefused) or _ran_out(second):
            second.attempts = (first, second)
            return second
        first.attempts = (copy(first), second)
        first.cause = f"{cause_of(first)}; OPENAI_FALLBACK_MODEL: {cause_of(second)}"
        first.mend = " and ".join(filter(None, (first.mend, of_fallback(mend_of(second)))))
        return first


def _may_turn(failure: ModelFailure) -> bool:
    return not isinstance(failure, ModelRefused) and not _ran_out(failure)


def _ran_out(failure: ModelFailure) -> bool:
    return isinstance(failure, ModelInterrupted) and failure.ran_out


def check_both(first: Breaker, other: Breaker) -> Callable[[], None]:
    """Return a check that refuses a turn where neither model would be asked.

    It raises ``ModelPaused``, until the sooner of the two may be asked again.
    """

    def check() -> None:
        try:
            first.check()
        except ModelPaused as paused:
            try:
                other.check()
            except ModelPaused as also:
                raise min(paused, also, key=_wait_s) from None

    return check


def _wait_s(paused: ModelPaused) -> float:
    return paused.retry_after_s or 0.0
