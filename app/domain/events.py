"""What happens while a question is answered, and that it is over: plain frozen values."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.conversation import Answer, Turn, Usage
from app.domain.errors import ServiceError
from app.domain.grounding import Grounds
from app.domain.knowledge import AnsweredBy, Source


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The question is stored."""

    conversation_id: str
    turn_id: str


@dataclass(frozen=True, slots=True)
class SourcesFound:
    """The owner's pages were looked into: what the answer may cite, perhaps nothing.

    It comes at most once, before the first token; turns that are not grounded have none.
    """

    sources: Sequence[Source]


@dataclass(frozen=True, slots=True)
class TokensReceived:
    """The deltas that one network read brought, in order."""

    tokens: Sequence[str]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing was said for a while, and the turn is alive."""


@dataclass(frozen=True, slots=True)
class TurnDone:
    """The answer is stored.

    ``finish_reason`` is set where the answer is not simply whole:
    ``length``, ``content_filter``, or ``stopped`` by the visitor.
    ``message_id`` names the answer, where one is stored. ``usage`` is what the
    provider counted, where it told. ``sources`` are what the answer cites, ``None`` where
    it is not grounded; ``answered_by`` tells who spoke where no model did.
    """

    message: str
    conversation_id: str
    turn_id: str
    finish_reason: str | None = None
    message_id: str | None = None
    usage: Usage | None = None
    sources: Sequence[Source] | None = None
    answered_by: AnsweredBy | None = None


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """No whole answer; what was said so far is kept."""

    error: ServiceError


TurnEvent = TurnStarted | SourcesFound | TokensReceived | Heartbeat | TurnDone | TurnFailed


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """A turn is over: the one event that logs, metrics and traces hear of it.

    ``answer`` is what the store was given to keep, ``None`` where that was not
    reached. ``outcome`` is one word: ``done``, why the turn was cut short
    (``left``, ``stopped``, ...), or the code of ``failure``, which is ``None``
    where the visitor had left. ``is_repeat`` tells that nothing ran: the turn
    was complete, and its answer was told again. ``duration_ms`` counts from its
    start in this process. ``protocol`` is how it was asked for; ``grounds`` are what a
    grounded one stood on.
    """

    turn: Turn
    answer: Answer | None
    outcome: str
    failure: ServiceError | None
    token_count: int
    duration_ms: float
    request_id: str | None = None
    is_repeat: bool = False
    grounds: Grounds | None = None
    protocol: str = ""
