"""What a webhook says: its body, in the form of Standard Webhooks, below 20 KB."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from app.domain.conversation import Conversation, Message
from app.domain.json_objects import present, to_object
from app.notifications.facts import Facts

# Standard Webhooks, "Payload size".
MAX_BYTES = 20_000
# Cut texts get a little shorter each time: what JSON makes of a character is 1 to 6 bytes.
_SHRINK = 0.9


def to_body(facts: Facts) -> bytes:
    """Return the body of a webhook; a text that is too long for it is cut, and says so."""
    body = orjson.dumps(_to_json(facts))
    while len(body) > MAX_BYTES and facts.message and facts.message.content:
        content = facts.message.content
        kept = int(len(content) * min(_SHRINK, MAX_BYTES / len(body)))
        facts = replace(facts, message=replace(facts.message, content=content[:kept]))
        body = orjson.dumps(_to_json(facts, is_cut=True))
    return body


def _to_json(facts: Facts, *, is_cut: bool = False) -> dict[str, Any]:
    data: dict[str, Any] = {"assistant": facts.notice.assistant}
    if facts.conversation:
        data["conversation"] = _conversation(facts.conversation)
    if facts.message:
        data["message"] = _message(facts.message)
        if is_cut:
            data["message"]["isCut"] = True
    if facts.notice.type.startswith("budget."):
        data["budgetTokens"] = facts.assistant.budgets.service
    if facts.notice.type == "model.failing":
        data["model"] = facts.assistant.model.name
    return {
        "type": facts.notice.type,
        "timestamp": iso(facts.notice.created_at),
        "data": data,
    }


def iso(ms: int) -> str:
    """Return a time as ISO 8601 in UTC, with milliseconds."""
    told = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
    return told.replace("+00:00", "Z")


def _conversation(told: Conversation) -> dict[str, Any]:
    # Not the session's id: for clients of the original, whoever has it reads the thread.
    contact = told.contact
    return present(
        id=told.id,
        state=told.state,
        createdAt=iso(told.created_at),
        waitingSince=iso(told.waiting_since) if told.waiting_since else None,
        unread=told.unread,
        user=told.user,
        page=told.page and to_object(told.page),
        contact=contact and present(email=contact.email, name=contact.name),
    )


def _message(told: Message) -> dict[str, Any]:
    return present(
        id=told.id,
        role=told.role,
        content=told.content,
        createdAt=iso(told.created_at),
        author=told.author,
        feedback=told.feedback and to_object(told.feedback),
    )
