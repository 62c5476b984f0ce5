"""Where operators' scripts answer visitors: the inbox, and each step of a handoff."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint

from app.domain.conversation import Message
from app.domain.errors import (
    ConversationNotFound,
    NotConfigured,
    StorageUnavailable,
    TooManyRequests,
)
from app.domain.people import HandedOver
from app.web.contract import contract
from app.web.schemas.chat import MessageSchema
from app.web.schemas.people import (
    Acting,
    ActingSchema,
    HandedOverSchema,
    InboxQuery,
    InboxQuerySchema,
    InboxSchema,
    NoticesQuery,
    NoticesQuerySchema,
    NoticesSchema,
    OperatorReplySchema,
    Reply,
)
from app.web.services import services

blueprint = Blueprint("inbox", __name__, url_prefix="/v1/admin")

_FAILURES = (TooManyRequests, NotConfigured, StorageUnavailable)
_STEP_FAILURES = (ConversationNotFound, *_FAILURES)


@blueprint.get("/inbox")
@contract(query=InboxQuerySchema, answer=InboxSchema, raises=_FAILURES)
def list_inbox(query: InboxQuery) -> Mapping[str, Sequence[Any]]:
    """List conversations that wait for a person, the longest first, then those that have one."""
    found = services().store.people.list_inbox(assistant=query.assistant, limit=query.limit)
    return {"conversations": found}


@blueprint.post("/conversations/<conversation_id>/take")
@contract(body=ActingSchema, answer=HandedOverSchema, raises=_STEP_FAILURES)
def take(acting: Acting, conversation_id: str) -> HandedOver:
    """Take a conversation over; an answer that is being written ends."""
    return services().people.take(conversation_id, acting.name)


@blueprint.post("/conversations/<conversation_id>/release")
@contract(body=ActingSchema, answer=HandedOverSchema, raises=_STEP_FAILURES)
def release(acting: Acting, conversation_id: str) -> HandedOver:
    """Give a conversation back to the assistant."""
    return services().people.release(conversation_id, acting.name)


@blueprint.post("/conversations/<conversation_id>/close")
@contract(body=ActingSchema, answer=HandedOverSchema, raises=_STEP_FAILURES)
def close(acting: Acting, conversation_id: str) -> HandedOver:
    """End a conversation with a person: the assistant answers what comes next."""
    return services().people.close(conversation_id, acting.name)


@blueprint.post("/conversations/<conversation_id>/reply")
@contract(body=OperatorReplySchema, answer=MessageSchema, raises=_STEP_FAILURES)
def reply(reply: Reply, conversation_id: str) -> Message:
    """Answer a visitor; the first reply takes the conversation over."""
    return services().people.say(conversation_id, reply.text, name=reply.name, key=reply.key)


@blueprint.get("/notices")
@contract(query=NoticesQuerySchema, answer=NoticesSchema, raises=_FAILURES)
def list_notices(query: NoticesQuery) -> Mapping[str, Sequence[Any]]:
    """List what somebody outside was told, or is to be told, the newest first."""
    return {"notices": services().store.people.list_notices(limit=query.limit)}
