"""What is said: plain frozen values.

All times are milliseconds since the Unix epoch.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from app.domain.knowledge import AnsweredBy, GapReason, Source
from app.domain.people import Contact, ConversationState, EventKind

Role = Literal["user", "assistant", "operator", "system"]
Status = Literal["complete", "partial", "error"]
Rating = Literal["up", "down"]
Mark = Literal["up", "down", "partial", "error"]

MARKS: tuple[Mark, ...] = ("up", "down", "partial", "error")

MAX_PREVIEW_CHARS = 500
MAX_FOUND = 100
# Whose a conversation is that names no assistant, as those stored before there were several.
DEFAULT_ASSISTANT = "default"
ASSISTANT_ID = re.compile(r"[a-z0-9-]{1,32}")
# The error code of a turn whose process ended, or lost its store, before the turn did.
LEASE_EXPIRED = "lease_expired"
# The finish reason of an answer during which a person took the conversation over.
TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of one completion, as the model's provider counted them.

    ``reasoning_tokens`` are those of the completion that nobody sees, where
    the provider tells; they are not stored.
    """

    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """A visitor's opinion of one answer."""

    rating: Rating
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The page that a visitor chats from."""

    url: str
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One thing said.

    ``status`` is set on answers; on a question it is ``error`` when its
    turn ended without a word of an answer. ``error_code`` and
    ``request_id`` stand on the message that bears the status: what the
    failure was called, and the request that brought it about. Messages of
    the original service have no ``turn_id`` and no ``status``.

    ``sources`` are what an answer cites, in order of their first citation, ``None`` where
    no pages were looked into for it; ``answered_by`` tells who spoke where no model did.
    ``gap`` says why the owner should look at an answer: see ``Gap``. ``author`` is the
    operator who spoke; a system's message tells of an ``event``, and has no text.
    """

    role: Role
    content: str
    created_at: int = 0
    id: str = ""
    turn_id: str | None = None
    status: Status | None = None
    model: str | None = None
    usage: Usage | None = None
    latency_ms: int | None = None
    first_token_ms: int | None = None
    finish_reason: str | None = None
    feedback: Feedback | None = None
    error_code: str | None = None
    request_id: str | None = None
    sources: Sequence[Source] | None = None
    answered_by: AnsweredBy | None = None
    gap: GapReason | None = None
    author: str | None = None
    event: EventKind | None = None


class PromptMessage(NamedTuple):
    """A message as the model is told of it.

    Each turn makes one for every message of its history: as a tuple, in a
    sixth of the time that a ``Message`` takes.
    """

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Match:
    """The newest message of a conversation in which a searched text stands.

    ``text`` is the part around it. ``cursor`` leads to the page of the
    thread that shows it, where the newest page may not.
    """

    message_id: str
    role: Role
    text: str
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """The stored thread of one session, without its messages.

    ``assistant`` is the id of the one that was asked. ``last_question`` is cut
    like ``last_message``. ``marks`` tell what stands on some message of it. What
    older functions of Convex stored has no count, and no last question
    until it goes on. ``unread`` counts what the visitor said since an operator looked,
    outside of the state ``bot``; ``last_event`` numbers the session's newest event, and
    ``seen_event`` the newest that the visitor has fetched.
    """

    id: str
    session_id: str
    created_at: int
    updated_at: int
    last_message: str | None = None
    page: Page | None = None
    user: str | None = None
    last_question: str | None = None
    message_count: int | None = None
    marks: tuple[Mark, ...] = ()
    match: Match | None = None
    assistant: str = DEFAULT_ASSISTANT
    state: ConversationState = "bot"
    waiting_since: int | None = None
    unread: int = 0
    contact: Contact | None = None
    last_event: int = 0
    seen_event: int = 0


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation with a page of its messages, oldest first.

    ``running_turn_id`` is told where a session is read, and only then.
    """

    conversation: Conversation
    messages: Sequence[Message]
    next_cursor: str | None = None
    running_turn_id: str | None = None


class SessionEvent(NamedTuple):
    """Something that an operator said or did; ``n`` counts a session's from 1."""

    n: int
    message: Message


@dataclass(frozen=True, slots=True)
class SessionEvents:
    """Events after some number, in order, and the number to go on from."""

    state: ConversationState
    events: Sequence[SessionEvent]
    next: int


@dataclass(frozen=True, slots=True)
class MarkedTurn:
    """A question and its answer, of which one bears a mark."""

    conversation: Conversation
    question: Message
    answer: Message | None = None


@dataclass(frozen=True, slots=True)
class ConversationFilter:
    """What a list of conversations is narrowed to; ``None`` means all.

    ``text`` is searched for, see ``parse_query``; ``since`` and ``until`` bound
    ``updated_at`` (from, inclusive; to, exclusive), ``page`` is a prefix of
    the page's URL, ``feedback`` and ``status`` must stand on some message.
    """

    text: str | None = None
    since: int | None = None
    until: int | None = None
    feedback: Rating | None = None
    status: Status | None = None
    page: str | None = None
    user: str | None = None
    assistant: str | None = None
    state: ConversationState | None = None


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """Conversations, newest-updated first, and where the next page begins.

    ``total`` counts all that are stored; ``None`` where a filter is set.
    ``found`` counts what fits a filter, no further than just above
    ``MAX_FOUND``: on the first page, where that can be told at once.
    """

    conversations: Sequence[Conversation]
    total: int | None
    next_cursor: str | None = None
    found: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a visitor asks, as a store takes it in.

    ``regenerate`` asks for a new answer to the session's last turn, which
    must be ``turn_id``. ``assistant`` is the id of the one that is asked: a
    session belongs to one. ``history`` is what a client without a session says
    was said before; where there is some, it stands for the stored one.
    """

    session_id: str
    turn_id: str
    content: str
    regenerate: bool = False
    page: Page | None = None
    assistant: str = DEFAULT_ASSISTANT
    history: Sequence[PromptMessage] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that is stored and now ours to answer.

    ``prompt`` ends with the question. ``answer`` is set when the turn was
    complete already: nothing runs, and the store's answer is the reply.
    ``cited`` are the URLs that the session's last answer before the question names.
    Where ``state`` is not ``bot``, a person is to answer: no lease was taken.
    """

    id: str
    attempt: int
    session_id: str
    conversation_id: str
    prompt: Sequence[PromptMessage]
    answer: Message | None = None
    cited: Sequence[str] = ()
    state: ConversationState = "bot"

    def without_prompt(self) -> "Turn":
        """Return the turn as it is kept while it runs: a prompt may be long."""
        return replace(self, prompt=(), cited=())


@dataclass(frozen=True, slots=True)
class Answer:
    """How a turn ended, as a store takes it in.

    ``content`` is empty only with ``error``, or with ``partial`` when the
    visitor left before the first word; then no message is stored.
    ``charged_tokens`` is what the turn took from the budget: the recorded
    usage, or an estimate where there is none.
    """

    content: str
    status: Status
    model: str | None = None
    usage: Usage | None = None
    latency_ms: int | None = None
    first_token_ms: int | None = None
    finish_reason: str | None = None
    charged_tokens: int | None = None
    error_code: str | None = None
    request_id: str | None = None
    sources: Sequence[Source] | None = None
    answered_by: AnsweredBy | None = None
    gap: GapReason | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """A turn whose end is stored; without an id where nothing was said."""

    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class PurgedBatch:
    """How many conversations a batch removed for good, and whether more are due."""

    conversations: int
    has_more: bool
