"""How a turn may end, and what its answer is worth then: functions of values."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from app.completion.endings import Kind, failure_of_ending, read_reason
from app.completion.protocol import Completion, Outcome, Receive
from app.completion.thinking import cut_thinking
from app.domain.conversation import Status, Usage
from app.domain.errors import (
    ModelInterrupted,
    ModelTimeout,
    ServerRestarting,
    ServiceError,
)

EMPTY_ANSWER = "I could not generate a response right now."
RESTART_RETRY_S = 2.0


class Ending(Enum):
    """Why a turn was cut short."""

    LEFT = "left"
    STOPPED = "stopped"
    DEADLINE = "deadline"
    RESTARTING = "restarting"


class SaidWhole:
    """What stands for a completion where no model was asked, and all has been said."""

    def __init__(self) -> None:
        self.outcome = Outcome(has_begun=True, finish_reason="stop")

    def relay(self, receive: Receive) -> bool:
        """Return at once."""
        return True


@dataclass(slots=True)
class Asked:
    """What came of asking the model, perhaps twice.

    ``completion`` and ``failure`` are of the last attempt, ``earlier_usage``
    and ``earlier_tokens`` (what it cost) of one before it that came to no word.
    """

    was_asked: bool = False
    completion: Completion | None = None
    failure: ServiceError | None = None
    earlier_usage: Usage | None = None
    earlier_tokens: int = 0

    @property
    def usage(self) -> Usage | None:
        """The tokens of all attempts together, as far as the provider told."""
        earlier, usage = self.earlier_usage, self.outcome.usage
        if earlier is None or usage is None:
            return earlier or usage
        return Usage(
            earlier.prompt_tokens + usage.prompt_tokens,
            earlier.completion_tokens + usage.completion_tokens,
            (earlier.reasoning_tokens or 0) + (usage.reasoning_tokens or 0) or None,
        )

    @property
    def outcome(self) -> Outcome:
        """What the last attempt's model told: nothing where none was begun."""
        return self.completion.outcome if self.completion else Outcome()


class Verdict(NamedTuple):
    """What is stored of a turn's end: the text, its status, and the reason."""

    content: str
    status: Status
    finish_reason: str | None


def failure_of_end(asked: Asked, said: str, *, was_cut: bool) -> ServiceError | None:
    """Return what went wrong with a model; the way it ended counts unless the turn ``was_cut``."""
    if asked.failure is not None or asked.completion is None or was_cut:
        return asked.failure
    outcome = asked.completion.outcome
    if outcome.finish_reason is None:
        return ModelInterrupted()
    has_said = bool(outcome.refusal or said.strip())
    return failure_of_ending(outcome.finish_reason, has_said=has_said, usage=outcome.usage)


def failure_of_cut(ending: Ending | None) -> ServiceError | None:
    """Return what a visitor is told where a turn was cut short, if that is a failure."""
    if ending is Ending.DEADLINE:
        return ModelTimeout()
    if ending is Ending.RESTARTING:
        return ServerRestarting(retry_after_s=RESTART_RETRY_S)
    return None


def judge(
    said: str,
    outcome: Outcome,
    failure: ServiceError | None,
    ending: Ending | None,
    *,
    is_full: bool,
    refusal_message: str,
) -> Verdict:
    """Decide what an answer is worth.

    ``is_full`` tells that the model said more than an answer may hold;
    ``refusal_message`` stands in for the words of a model that refused without any.
    """
    content = cut_thinking(said).strip()
    if ending is not None:
        return Verdict(content, "partial", ending.value)
    if is_full:
        return Verdict(content, "complete", "length")
    if failure is not None or outcome.finish_reason is None:
        return Verdict(content, "partial" if content else "error", None)
    kind = read_reason(outcome.finish_reason)
    if kind is Kind.FILTERED or outcome.refusal:
        return Verdict(content or refusal_message, "complete", "content_filter")
    return Verdict(content or EMPTY_ANSWER, "complete", "length" if kind is Kind.LENGTH else "stop")
