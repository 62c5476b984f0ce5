"""How a turn may end, and what its answer is worth then."""

from enum import Enum

from app.completion.endings import Kind, read_reason
from app.completion.protocol import Completion
from app.domain.conversation import Status

EMPTY_ANSWER = "I could not generate a response right now."

# What is stored of a turn's end: the text, its status, and the reason.
Verdict = tuple[str, Status, str | None]


class Ending(Enum):
    """Why a turn was cut short."""

    LEFT = "left"
    STOPPED = "stopped"
    DEADLINE = "deadline"
    RESTARTING = "restarting"


def judge(said: str, completion: Completion, refusal_message: str) -> Verdict:
    """Decide what a completion that ended by itself, and well, is worth."""
    kind = read_reason(completion.finish_reason or "")
    if kind is Kind.FILTERED or completion.refusal:
        return said or refusal_message, "complete", "content_filter"
    return said or EMPTY_ANSWER, "complete", "length" if kind is Kind.LENGTH else "stop"
