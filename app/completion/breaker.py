"""A breaker: a model that fails again and again is left alone for a while.

Visitors then hear at once what they would otherwise hear after a timeout, and
a provider in trouble is not pressed further. Each process has its own.

A request that is refused without a reason tells nothing of the model: it may
be the message, or what every request looks like. Only when the refusals go on,
for one question after the other, it is taken for the owner's trouble.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from app.completion.causes import shorten
from app.completion.protocol import Completion, CompletionModel, Outcome, Receive
from app.domain.conversation import PromptMessage
from app.domain.errors import (
    ModelFailure,
    ModelInterrupted,
    ModelMisconfigured,
    ModelPaused,
    ModelRefused,
    ModelTimeout,
    cause_of,
    mend_of,
)
from app.settings import BreakerPolicy

log = logging.getLogger(__name__)

# Each failed probe doubles the pause, up to so many times the first.
_MAX_PAUSES = 8
# So many questions in a row may be refused without a reason.
_MAX_UNEXPLAINED = 5
# What may be wrong with each of them.
_MEND_OF_ALL = "OPENAI_MODEL, SYSTEM_PROMPT and OPENAI_EXTRA_BODY"
# A refused visitor who asks while a probe runs.
_PROBE_RETRY_S = 1.0


class Breaker:
    """Counts failures; ``opened`` is how often it opened, for metrics.

    ``tell_owner`` hears when it opens for what only the owner can mend; it must not wait.
    """

    def __init__(
        self,
        policy: BreakerPolicy,
        clock: Callable[[], float] = time.monotonic,
        tell_owner: Callable[[], None] = lambda: None,
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._tell_owner = tell_owner
        self._failed = 0
        self._pause_s = 0.0
        self._open_until: float | None = None
        self._probe_since: float | None = None
        self._unexplained: set[int] = set()
        self._trouble: str | None = None
        self.opened = 0

    @property
    def state(self) -> str:
        """``closed``, ``open``, or ``probing`` when the pause is over."""
        if self._open_until is None:
            return "closed"
        return "open" if self._clock() < self._open_until else "probing"

    @property
    def is_calm(self) -> bool:
        """Whether nothing failed since the model answered last."""
        return not self._failed and self._open_until is None

    @property
    def trouble(self) -> str | None:
        """What only the owner can mend, in a line, until the model answers again."""
        return self._trouble

    def check(self) -> None:
        """Refuse a turn that the model would not be asked for.

        Raises:
            ModelPaused: until when, at best.
        """
        if self._open_until is None:
            return
        now = self._clock()
        if now < self._open_until:
            raise ModelPaused(retry_after_s=self._open_until - now)
        if (
            self._probe_since is not None
            and now < self._probe_since + self._policy.probe_patience_s
        ):
            raise ModelPaused(retry_after_s=_PROBE_RETRY_S)

    def enter(self) -> bool:
        """Let a prompt through; after a pause the first one, as a probe.

        Returns whether it is one.

        Raises:
            ModelPaused: see ``check``.
        """
        self.check()
        if self._open_until is None:
            return False
        self._probe_since = self._clock()
        return True

    def leave_probe(self) -> None:
        """Forget a probe, which may have ended without telling anything."""
        self._probe_since = None

    def succeed(self) -> None:
        """Note that the model answers."""
        self._failed = 0
        self._unexplained.clear()
        self._trouble = None
        if self._open_until is not None:
            log.info("The model answers again")
            self._open_until = self._probe_since = None
            self._pause_s = 0.0

    def fail(self, failure: ModelFailure) -> None:
        """Note that the model did not answer."""
        if isinstance(failure, ModelMisconfigured):
            mend = mend_of(failure)
            self._trouble = shorten(cause_of(failure)) + (f". Check {mend}" if mend else "")
        if not self._policy.failures:
            return
        self._failed += 1
        was_probe = self._probe_since is not None
        if self.state != "open" and (was_probe or self._failed >= self._policy.failures):
            self._open(failure)

    def doubt(self, refused: ModelRefused, question: int) -> ModelFailure:
        """Note a refusal that nothing explains; return what it is taken for.

        ``question`` tells one question from another. One who asks the same
        again and again says nothing of the others.
        """
        if len(self._unexplained) < _MAX_UNEXPLAINED:
            self._unexplained.add(question)
            if self.state == "probing":
                self._open(refused)
            return refused
        failure = ModelMisconfigured(retry_after_s=refused.retry_after_s)
        failure.cause, failure.provider = refused.cause, refused.provider
        failure.mend = _MEND_OF_ALL
        self.fail(failure)
        return failure

    def _open(self, failure: ModelFailure) -> None:
        mine = isinstance(failure, ModelMisconfigured)
        first_s = self._policy.owner_pause_s if mine else self._policy.pause_s
        self._pause_s = min(max(first_s, self._pause_s * 2), first_s * _MAX_PAUSES)
        told_s = min(failure.retry_after_s or 0.0, first_s * _MAX_PAUSES)
        pause_s = max(self._pause_s, told_s)
        self._open_until = self._clock() + pause_s
        self._probe_since = None
        self.opened += 1
        log.warning(
            "The model failed %d times in a row, the last time with %s (%s): "
            "it is not asked for %.0f s",
            self._failed,
            failure.code,
            cause_of(failure),
            pause_s,
        )
        if mine:
            self._tell_owner()


class BreakerModel:
    """A ``CompletionModel`` behind a breaker."""

    def __init__(self, model: CompletionModel, breaker: Breaker) -> None:
        self._model = model
        self._breaker = breaker

    @contextmanager
    def stream(
        self,
        prompt: Sequence[PromptMessage],
        *,
        request_id: str | None = None,
        second_limit: int | None = None,
    ) -> Iterator[Completion]:
        """Start a completion, unless the breaker is open."""
        is_probe = self._breaker.enter()
        # Questions that were not answered stand before it; what it ends with tells it from others.
        question = hash(prompt[-1].content.rpartition("\n\n")[2])
        watched: _Watched | None = None
        try:
            with self._model.stream(
                prompt, request_id=request_id, second_limit=second_limit
            ) as completion:
                del prompt  # long, and told: it would be held to the answer's end
                yield (watched := _Watched(completion, self._breaker))
        except ModelRefused as refused:
            if refused.is_explained:  # the message was at fault, and the model is there
                self._breaker.succeed()
                raise
            taken_for = self._breaker.doubt(refused, question)
            if taken_for is refused:
                raise
            raise taken_for from refused
        except ModelFailure as failure:
            # One that broke off is no reason to ask nobody else: it had answered.
            has_begun = watched is not None and watched.outcome.has_begun
            if not (has_begun or _may_only_be_slow(failure, is_probe, second_limit)):
                self._breaker.fail(failure)
            raise
        finally:
            if is_probe:
                self._breaker.leave_probe()

    def close(self) -> None:
        """Give back connections."""
        self._model.close()


def _may_only_be_slow(failure: ModelFailure, is_probe: bool, second_limit: int | None) -> bool:
    """Tell whether a model is there, as far as is known, and only thinks for long."""
    if isinstance(failure, ModelInterrupted) and failure.ran_out:
        return second_limit is None
    return isinstance(failure, ModelTimeout) and failure.provider is None and not is_probe


class _Watched:
    """A completion that tells the breaker when it begins to answer."""

    def __init__(self, completion: Completion, breaker: Breaker) -> None:
        self._completion = completion
        self._breaker = breaker
        self._is_noted = False
        self.outcome: Outcome = completion.outcome

    def relay(self, receive: Receive) -> bool:
        def note_first(deltas: Sequence[str]) -> bool:
            self._note()
            return receive(deltas)

        # While nothing waits for this answer's beginning, no token needs the step in between.
        told = receive if self._breaker.is_calm else note_first
        try:
            return self._completion.relay(told)
        finally:
            self._note()

    def _note(self) -> None:
        if not self._is_noted and self.outcome.has_begun:
            self._is_noted = True
            self._breaker.succeed()
