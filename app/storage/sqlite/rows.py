"""Rows of the database as the values that the rest of Perch knows."""

import json
import sqlite3
from collections.abc import Sequence

from app.domain.conversation import MARKS, Answer, Conversation, Feedback, Message, Page, Usage
from app.domain.knowledge import Source
from app.domain.people import Contact


def to_conversation(row: sqlite3.Row) -> Conversation:
    """Convert a row of ``conversations``."""
    return Conversation(
        id=row["id"],
        session_id=row["session_id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        last_message=row["last_message"],
        page=None if row["page_url"] is None else Page(row["page_url"], row["page_title"]),
        user=row["user"],
        last_question=row["last_question"],
        message_count=row["message_count"],
        marks=tuple(mark for mark in MARKS if row[f"has_{mark}"]),
        assistant=row["assistant"],
        state=row["state"],
        waiting_since=row["waiting_since"] if row["state"] == "waiting" else None,
        unread=row["unread"],
        contact=_contact(row),
        last_event=row["last_event"],
        seen_event=row["seen_event"],
    )


def to_message(conversation_id: str, row: sqlite3.Row) -> Message:
    """Convert a row of ``messages``."""
    return Message(
        role=row["role"],
        content=row["content"],
        created_at=row["created_at"],
        id=to_message_id(conversation_id, row["position"]),
        turn_id=row["turn_id"] or None,
        status=row["status"],
        model=row["model"],
        usage=_usage(row),
        latency_ms=row["latency_ms"],
        first_token_ms=row["first_token_ms"],
        finish_reason=row["finish_reason"],
        feedback=None if row["rating"] is None else Feedback(row["rating"], row["comment"]),
        error_code=row["error_code"],
        request_id=row["request_id"],
        sources=to_sources(row["sources"]),
        answered_by=row["answered_by"],
        gap=row["gap"],
        author=row["author"],
        event=row["event"],
    )


def to_answer(row: sqlite3.Row) -> Answer:
    """Convert the row of ``messages`` that bears how a turn ended."""
    usage = _usage(row)
    return Answer(
        content=row["content"],
        status=row["status"] or "complete",
        model=row["model"],
        usage=usage,
        latency_ms=row["latency_ms"],
        first_token_ms=row["first_token_ms"],
        charged_tokens=usage.prompt_tokens + usage.completion_tokens if usage else None,
    )


def from_answer(answer: Answer) -> dict[str, object]:
    """Convert to the columns of ``messages`` in which the answer stands."""
    usage = answer.usage
    return {
        "content": answer.content,
        "status": answer.status,
        "model": answer.model,
        "prompt_tokens": usage and usage.prompt_tokens,
        "completion_tokens": usage and usage.completion_tokens,
        "latency_ms": answer.latency_ms,
        "first_token_ms": answer.first_token_ms,
        "finish_reason": answer.finish_reason,
        "error_code": answer.error_code,
        "request_id": answer.request_id,
        "sources": _from_sources(answer.sources),
        "answered_by": answer.answered_by,
        "gap": answer.gap,
    }


def to_sources(stored: str | None) -> list[Source] | None:
    """Convert the column of ``messages`` in which an answer's sources stand."""
    return None if stored is None else [Source(*each) for each in json.loads(stored)]


def to_message_id(conversation_id: str, position: int) -> str:
    """Name a message by its place, which never changes."""
    return f"{conversation_id}-{position}"


def from_message_id(message_id: str) -> tuple[str, int] | None:
    """Take a message's public id apart; ``None`` if it is not one of ours."""
    conversation_id, _, position = message_id.rpartition("-")
    if not (position.isascii() and position.isdigit() and len(position) < 10):
        return None
    return conversation_id, int(position)


def _contact(row: sqlite3.Row) -> Contact | None:
    if row["contact_email"] is None:
        return None
    return Contact(row["contact_email"], row["contact_name"], row["consented_at"])


def _from_sources(sources: Sequence[Source] | None) -> str | None:
    if sources is None:
        return None
    return json.dumps(sources, ensure_ascii=False, separators=(",", ":"))


def _usage(row: sqlite3.Row) -> Usage | None:
    if row["prompt_tokens"] is None:
        return None
    return Usage(row["prompt_tokens"], row["completion_tokens"])
