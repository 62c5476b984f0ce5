"""A question asked for trial: what the chat would find, and what would come of it."""

from dataclasses import dataclass
from typing import Literal

from app.domain.grounding import Grounds, frame, ground
from app.domain.knowledge import Found, Inquiry
from app.knowledge.protocol import Knowledge
from app.limits.estimate import estimate_text
from app.settings.policies import KnowledgePolicy

Verdict = Literal["owner", "passages", "unknown", "alone", "not_ready", "off"]

VERDICTS: dict[Verdict, str] = {
    "owner": "The owner's answer, word for word: no model is asked",
    "passages": "Would answer from these",
    "unknown": "Would say that it does not know, without asking the model",
    "alone": "Nothing was found: the model would answer alone",
    "not_ready": "There is nothing to look into yet: the model would answer alone",
    "off": "The model would answer alone: GROUNDING is off",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What was found, and what would become of it.

    ``sent`` is the visitor's message as the model would get it, ``tokens`` what that
    takes by our own estimate; ``reply`` is said word for word where no model is asked.
    """

    question: str
    found: Found
    verdict: Verdict
    sent: str | None = None
    tokens: int = 0
    reply: str | None = None

    @property
    def words(self) -> str:
        """The verdict as the owner reads it."""
        return VERDICTS[self.verdict]


def try_question(knowledge: Knowledge | None, policy: KnowledgePolicy, inquiry: Inquiry) -> Trial:
    """Return what the chat would make of a question; nothing is stored, no model is asked."""
    found = knowledge.find(inquiry) if knowledge is not None else Found(is_ready=False)
    if policy.mode == "off" or knowledge is None:
        return Trial(inquiry.question, found, "off" if policy.mode == "off" else "not_ready")
    grounds = ground(found, policy.mode, policy.unknown_message)
    verdict = _judge(found, grounds)
    if verdict in ("owner", "unknown") and grounds is not None:
        return Trial(inquiry.question, found, verdict, reply=grounds.fixed)
    sent = inquiry.question if grounds is None else frame(inquiry.question, found)
    return Trial(inquiry.question, found, verdict, sent=sent, tokens=estimate_text(sent))


def _judge(found: Found, grounds: Grounds | None) -> Verdict:
    if grounds is None:
        return "not_ready"
    if grounds.answered_by is not None:
        return "owner" if grounds.answered_by == "owner" else "unknown"
    return "passages" if found.passages else "alone"
