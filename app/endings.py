"""How a turn may end, and what its answer is worth then."""

from enum import Enum

from app.completion.protocol import Completion
from app.conversation import Status

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
    """Decide what a completion that ended by itself is worth."""
    reason = completion.finish_reason
    if reason == "content_filter" or completion.refusal:
        return said or refusal_message, "complete", "content_filter"
    return said or EMPTY_ANSWER, "complete", "length" if reason == "length" else "stop"
