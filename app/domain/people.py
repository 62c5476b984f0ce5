"""What is said and done where a person answers: plain frozen values.

All times are milliseconds since the Unix epoch.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

ConversationState = Literal["bot", "waiting", "human"]
"""Who answers: the assistant; nobody yet; a person."""

Step = Literal["ask", "take", "release", "close"]
"""What changes the state: the visitor asks for a person; an operator takes the conversation
over; either gives it back to the assistant; an operator ends it."""

EventKind = Literal["asked", "taken", "released", "closed", "contact"]
"""What a system's message tells of: it stands in the thread, and no model is told of it."""

NoticeType = Literal[
    "conversation.started", "conversation.waiting", "conversation.taken", "conversation.closed",
    "message.created", "contact.created", "feedback.created",
    "budget.warning", "budget.exhausted", "model.failing", "test",
]  # fmt: skip

MAX_EMAIL_CHARS = 254
MAX_NAME_CHARS = 80
MAX_REPLY_CHARS = 20_000


class ByVisitor(NamedTuple):
    """A visitor who acts, by their session; it may have no conversation yet."""

    session_id: str
    assistant: str
    page_url: str | None = None


class ByOperator(NamedTuple):
    """An operator who acts on a conversation; visitors are shown the ``name``."""

    conversation_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a visitor may be answered, and that they agreed to it, when."""

    email: str
    name: str | None = None
    consented_at: int = 0


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What a step came to; ``is_new`` is false where it had been done already."""

    conversation_id: str
    session_id: str
    assistant: str
    state: ConversationState
    is_new: bool


class Notice(NamedTuple):
    """Something that somebody outside is told: one row of the outbox.

    ``id`` is the same at each attempt: receivers know a repetition by it. ``pending`` are
    the targets (``webhook``, ``email``, ``chat``, ``visitor``) that have not taken it, behind
    a name what the sender notes of each (``webhook:2:1764000000000``); ``None`` before the
    first attempt, which knows what is configured. ``attempts`` were made in vain, the last of
    them for ``problem``. No attempt is made before ``due_at``. What ``is_given_up`` is over,
    and ``pending`` are those that never took it.
    """

    id: str
    type: NoticeType
    created_at: int
    assistant: str
    conversation_id: str | None = None
    message_id: str | None = None
    pending: tuple[str, ...] | None = None
    attempts: int = 0
    due_at: int = 0
    problem: str | None = None
    is_given_up: bool = False
