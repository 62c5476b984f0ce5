"""Where operators' scripts answer visitors: the inbox, and each step of a handoff."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint

from app.domain.conversation import Message
from app.domain.errors import ConversationNotFound
from app.domain.people import HandedOver
from app.routes.admin import OPERATOR_FAILURES
from app.web.contract import contract
from app.web.schemas.chat import MessageSchema
from app.web.schemas.people import (
    ActingSchema,
    HandedOverSchema,
    InboxQuerySchema,
    InboxSchema,
    NoticesQuerySchema,
    NoticesSchema,
    OperatorReplySchema,
)
from app.web.services import services

blueprint = Blueprint("inbox", __name__, url_prefix="/v1/admin")

_STEP_FAILURES = (ConversationNotFound, *OPERATOR_FAILURES)


@blueprint.get("/inbox")
@contract(query=InboxQuerySchema, answer=InboxSchema, raises=OPERATOR_FAILURES)
def list_inbox(limit: int, assistant: str | None = None) -> Mapping[str, Sequence[Any]]:
    """List conversations that wait for a person, the longest first, then those that have one."""
    return {"conversations": services().store.people.list_inbox(assistant=assistant, limit=limit)}


@blueprint.post("/conversations/<conversation_id>/take")
@contract(body=ActingSchema, answer=HandedOverSchema, raises=_STEP_FAILURES)
def take(conversation_id: str, name: str | None = None) -> HandedOver:
    """Take a conversation over; an answer that is being written ends."""
    return services().people.take(conversation_id, name)


@blueprint.post("/conversations/<conversation_id>/release")
@contract(body=ActingSchema, answer=HandedOverSchema, raises=_STEP_FAILURES)
def release(conversation_id: str, name: str | None = None) -> HandedOver:
    """Give a conversation back to the assistant."""
    return services().people.release(conversation_id, name)


@blueprint.post("/conversations/<conversation_id>/close")
@contract(body=ActingSchema, answer=HandedOverSchema, raises=_STEP_FAILURES)
def close(conversation_id: str, name: str | None = None) -> HandedOver:
    """End a conversation with a person: the assistant answers what comes next."""
    return services().people.close(conversation_id, name)


@blueprint.post("/conversations/<conversation_id>/reply")
@contract(body=OperatorReplySchema, answer=MessageSchema, raises=_STEP_FAILURES)
def reply(
    conversation_id: str, text: str, key: str | None = None, name: str | None = None
) -> Message:
    """Answer a visitor; the first reply takes the conversation over."""
    return services().people.say(conversation_id, text, name=name, key=key)


@blueprint.get("/notices")
@contract(query=NoticesQuerySchema, answer=NoticesSchema, raises=OPERATOR_FAILURES)
def list_notices(limit: int) -> Mapping[str, Sequence[Any]]:
    """List what somebody outside was told, or is to be told, the newest first."""
    return {"notices": services().store.people.list_notices(limit=limit)}
