"""What a turn comes to when its model has ended: the answer, its price, and what is told."""

import logging
import time
from typing import NamedTuple

from app.domain.conversation import TAKEN, Answer, Message, Status, Turn
from app.domain.errors import ServiceError
from app.domain.events import TurnDone
from app.domain.grounding import Cited, Grounds, judge_citations
from app.limits.budget import Reservation, Spending
from app.turns.endings import Asked, Ending, failure_of_cut, failure_of_end, judge
from app.turns.transcript import Transcript

log = logging.getLogger(__name__)


class Settled(NamedTuple):
    """An answer as it is stored, and what the visitor is told instead of it, if anything."""

    answer: Answer
    failure: ServiceError | None


def settle(
    asked: Asked,
    transcript: Transcript,
    ending: Ending | None,
    reservation: Reservation,
    refusal_message: str,
    started_at: float,
    request_id: str | None,
    grounds: Grounds | None = None,
) -> Settled:
    """Judge what was said, and pay for it; ``started_at`` is of the monotonic clock."""
    said, is_full = transcript.text, transcript.is_full
    was_cut = ending is not None or is_full
    outcome = asked.outcome
    failure = failure_of_end(asked, said, was_cut=was_cut)
    told = failure_of_cut(ending) or failure
    content, status, finish_reason = judge(
        said, outcome, failure, ending, is_full=is_full, refusal_message=refusal_message
    )
    cited = _cite(grounds, content, status)
    first_at = transcript.first_at
    answer = Answer(
        content=content,
        status=status,
        model=outcome.model,
        usage=asked.usage,
        latency_ms=_ms(started_at, time.monotonic()),
        first_token_ms=None if first_at is None else _ms(started_at, first_at),
        finish_reason=finish_reason,
        charged_tokens=_pay(asked, said, transcript.count, failure, reservation, was_cut=was_cut),
        error_code=told.code if told else None,
        request_id=request_id,
        sources=cited.sources,
        answered_by=grounds.answered_by if grounds else None,
        gap=cited.gap,
    )
    return Settled(answer, told)


def done(turn: Turn, answer: Answer | Message, message_id: str | None) -> TurnDone:
    """Return the event of an answer that is stored."""
    # To who hears it, an answer that a person cut short was stopped.
    marked = {"stop": None, TAKEN: "stopped"}.get(
        answer.finish_reason or "stop", answer.finish_reason
    )
    return TurnDone(
        answer.content,
        turn.conversation_id,
        turn.id,
        marked,
        message_id,
        answer.usage,
        answer.sources,
        answer.answered_by,
    )


def _cite(grounds: Grounds | None, content: str, status: Status) -> Cited:
    if grounds is None:
        return Cited(None, None)
    cited = judge_citations(grounds, content)
    # What broke off may have been about to cite.
    return cited if status == "complete" else Cited(cited.sources, None)


def _pay(
    asked: Asked,
    said: str,
    delta_count: int,
    failure: ServiceError | None,
    reservation: Reservation,
    *,
    was_cut: bool,
) -> int | None:
    outcome = asked.outcome
    spending = Spending(
        asked.was_asked,
        outcome.usage,
        said,
        delta_count,
        failure,
        was_cut=was_cut,
        earlier_tokens=asked.earlier_tokens,
        has_thought=outcome.has_thought,
        first_failure=outcome.first_failure,
    )
    try:
        return reservation.settle(spending)
    except Exception:  # an account in disorder must not cost the answer
        log.exception("A turn was not paid for: what was reserved stays spent")
        return None


def _ms(since: float, until: float) -> int:
    return round((until - since) * 1000)
