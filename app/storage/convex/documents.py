"""Convex's documents as the values that the rest of Perch knows, and back.

Every number of Convex's is a ``float``; ours are whole.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.domain.conversation import (
    DEFAULT_ASSISTANT,
    Answer,
    Conversation,
    ConversationFilter,
    Message,
    PromptMessage,
    Question,
    Thread,
)
from app.domain.figures import DayFigures, to_figures
from app.domain.json_objects import from_object, present, to_object
from app.domain.people import Contact
from app.domain.search_query import parse_query

Document = dict[str, Any]


def to_prompt(documents: Sequence[Document]) -> Sequence[PromptMessage]:
    """Convert the messages of a prompt."""
    return [PromptMessage(each["role"], each["content"]) for each in documents]


def to_thread(document: Document) -> Thread:
    """Convert a conversation with a page of its messages."""
    return Thread(
        from_object(Conversation, document["conversation"]),
        tuple(from_object(Message, each) for each in document["messages"]),
        document["nextCursor"],
        document.get("runningTurnId"),
    )


def to_day_figures(document: Document) -> DayFigures:
    """Convert the figures of a day or an hour."""
    counts = {name: int(count) for name, count in document["counts"].items()}
    return to_figures(document["period"], counts)


def from_question(question: Question) -> Document:
    """Convert a question."""
    page = question.page
    return present(
        sessionId=question.session_id,
        turnId=question.turn_id,
        content=question.content,
        regenerate=question.regenerate,
        page=page and to_object(page),
        assistant=from_assistant(question.assistant),
    )


def from_assistant(assistant: str) -> str | None:
    """Name an assistant as documents do: the default one not at all, as before the others."""
    return None if assistant == DEFAULT_ASSISTANT else assistant


def from_answer(answer: Answer) -> Document:
    """Convert an answer, without the two counts that only the day's figures keep."""
    told = to_object(answer)
    told.pop("chargedTokens", None)
    told.get("usage", {}).pop("reasoningTokens", None)
    return told


def from_contact(contact: Contact) -> Document:
    """Convert where a visitor may be answered; no time is the deployment's own."""
    return present(email=contact.email, name=contact.name, consentedAt=contact.consented_at or None)


def from_filter(where: ConversationFilter) -> Document:
    """Convert what a list is narrowed to."""
    query = parse_query(where.text) if where.text else None
    rest = replace(where, text=None, page=where.page or None)
    return present(search=query and to_object(query), **to_object(rest))
