"""Every conversation, for the operator's scripts."""

from flask import Blueprint

from app.conversation import ConversationPage, Thread
from app.errors import ConversationNotFound, InvalidRequest, NotConfigured, StorageUnavailable
from app.web.contract import contract
from app.web.schemas import (
    MAX_CONVERSATION_ID_CHARS,
    ConversationListSchema,
    ListQuery,
    ListQuerySchema,
    ThreadSchema,
)
from app.web.services import services

blueprint = Blueprint("admin", __name__, url_prefix="/v1/admin")


@blueprint.get("/conversations")
@contract(
    query=ListQuerySchema,
    answer=ConversationListSchema,
    raises=(NotConfigured, StorageUnavailable),
)
def list_conversations(query: ListQuery) -> ConversationPage:
    """List conversations, newest-updated first."""
    return services().store.list_conversations(limit=query.limit, cursor=query.cursor)


@blueprint.get("/conversations/<conversation_id>")
@contract(
    answer=ThreadSchema,
    raises=(InvalidRequest, ConversationNotFound, NotConfigured, StorageUnavailable),
)
def read_conversation(conversation_id: str) -> Thread:
    """Read a conversation and its messages, oldest first."""
    if len(conversation_id) > MAX_CONVERSATION_ID_CHARS:
        raise InvalidRequest("Invalid conversationId")
    return services().store.read_thread(conversation_id)
