"""Convex's documents as the values that the rest of Perch knows, and back.

Every number of Convex's is a ``float``; ours are whole.
"""

from collections.abc import Sequence
from typing import Any

from app.domain.conversation import (
    DEFAULT_ASSISTANT,
    Answer,
    Conversation,
    ConversationFilter,
    Feedback,
    MarkedTurn,
    Match,
    Message,
    Page,
    PromptMessage,
    Question,
    Thread,
    Usage,
)
from app.domain.figures import DayFigures, to_figures
from app.domain.knowledge import Source
from app.domain.people import Contact
from app.domain.search_query import parse_query

Document = dict[str, Any]


def to_conversation(document: Document) -> Conversation:
    """Convert a conversation."""
    page, match = document.get("page"), document.get("match")
    return Conversation(
        id=document["id"],
        session_id=document["sessionId"],
        created_at=int(document["createdAt"]),
        updated_at=int(document["updatedAt"]),
        last_message=document.get("lastMessage"),
        page=page and Page(page["url"], page.get("title")),
        user=document.get("user"),
        last_question=document.get("lastQuestion"),
        message_count=_whole(document.get("messageCount")),
        marks=tuple(document["marks"]),
        match=match and Match(match["messageId"], match["role"], match["text"], match["cursor"]),
        assistant=document.get("assistant", DEFAULT_ASSISTANT),
        # Functions of before version 6 tell none of these.
        state=document.get("state", "bot"),
        waiting_since=_whole(document.get("waitingSince")),
        unread=int(document.get("unread", 0)),
        contact=_to_contact(document.get("contact")),
        last_event=int(document.get("lastEvent", 0)),
        seen_event=int(document.get("seenEvent", 0)),
    )


def to_marked_turn(document: Document) -> MarkedTurn:
    """Convert a question and its answer, of which one bears a mark."""
    answer = document["answer"]
    return MarkedTurn(
        to_conversation(document["conversation"]),
        to_message(document["question"]),
        answer and to_message(answer),
    )


def to_message(document: Document) -> Message:
    """Convert a message of a thread."""
    usage, feedback = document.get("usage"), document.get("feedback")
    sources = document.get("sources")
    return Message(
        role=document["role"],
        content=document["content"],
        created_at=int(document["createdAt"]),
        id=document["id"],
        turn_id=document.get("turnId"),
        status=document.get("status"),
        model=document.get("model"),
        usage=usage and Usage(int(usage["promptTokens"]), int(usage["completionTokens"])),
        latency_ms=_whole(document.get("latencyMs")),
        first_token_ms=_whole(document.get("firstTokenMs")),
        finish_reason=document.get("finishReason"),
        feedback=feedback and Feedback(feedback["rating"], feedback.get("comment")),
        error_code=document.get("errorCode"),
        request_id=document.get("requestId"),
        sources=None
        if sources is None
        else [Source(int(each["n"]), each["title"], each.get("url")) for each in sources],
        answered_by=document.get("answeredBy"),
        gap=document.get("gap"),
        author=document.get("author"),
        event=document.get("event"),
    )


def to_prompt(documents: Sequence[Document]) -> Sequence[PromptMessage]:
    """Convert the messages of a prompt."""
    return [PromptMessage(each["role"], each["content"]) for each in documents]


def to_thread(document: Document) -> Thread:
    """Convert a conversation with a page of its messages."""
    return Thread(
        to_conversation(document["conversation"]),
        tuple(map(to_message, document["messages"])),
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
        page=page and present(url=page.url, title=page.title),
        assistant=from_assistant(question.assistant),
    )


def from_assistant(assistant: str) -> str | None:
    """Name an assistant as documents do: the default one not at all, as before the others."""
    return None if assistant == DEFAULT_ASSISTANT else assistant


def from_answer(answer: Answer) -> Document:
    """Convert an answer."""
    usage = answer.usage
    return present(
        content=answer.content,
        status=answer.status,
        model=answer.model,
        usage=usage
        and {"promptTokens": usage.prompt_tokens, "completionTokens": usage.completion_tokens},
        latencyMs=answer.latency_ms,
        firstTokenMs=answer.first_token_ms,
        finishReason=answer.finish_reason,
        errorCode=answer.error_code,
        requestId=answer.request_id,
        sources=None if answer.sources is None else [each.as_fields() for each in answer.sources],
        answeredBy=answer.answered_by,
        gap=answer.gap,
    )


def from_contact(contact: Contact) -> Document:
    """Convert where a visitor may be answered; no time is the deployment's own."""
    return present(email=contact.email, name=contact.name, consentedAt=contact.consented_at or None)


def from_feedback(feedback: Feedback) -> Document:
    """Convert an opinion."""
    return present(rating=feedback.rating, comment=feedback.comment)


def from_filter(where: ConversationFilter) -> Document:
    """Convert what a list is narrowed to."""
    query = parse_query(where.text) if where.text else None
    return present(
        search=query and present(terms=query.terms, id=query.id),
        since=where.since,
        until=where.until,
        feedback=where.feedback,
        status=where.status,
        page=where.page or None,
        user=where.user,
        assistant=where.assistant,
        state=where.state,
    )


def _to_contact(document: Document | None) -> Contact | None:
    if document is None:
        return None
    return Contact(document["email"], document.get("name"), int(document["consentedAt"]))


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


def present(**fields: object) -> Document:
    """Leave out what is ``None``: to Convex an optional field is there or not."""
    return {name: value for name, value in fields.items() if value is not None}
