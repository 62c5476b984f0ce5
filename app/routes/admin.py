"""Every conversation, and what they add up to, for the operator's scripts."""

from datetime import datetime

from flask import Blueprint, Response

from app.domain.clock import now_ms
from app.domain.conversation import ConversationFilter, ConversationPage, Thread
from app.domain.errors import (
    ConversationNotFound,
    InvalidRequest,
    NotConfigured,
    StorageUnavailable,
    TooManyRequests,
)
from app.operations import export
from app.operations.statistics import Statistics, Unit, read_statistics
from app.operations.transcripts import Transcripts
from app.web.contract import contract
from app.web.download import stream_export
from app.web.schemas.conversations import (
    ConversationListSchema,
    DeletedSchema,
    DeleteQuerySchema,
    ExportQuerySchema,
    ListQuerySchema,
    ThreadQuerySchema,
    ThreadSchema,
)
from app.web.schemas.statistics import StatisticsQuerySchema, StatisticsSchema
from app.web.services import services

blueprint = Blueprint("admin", __name__, url_prefix="/v1/admin")

OPERATOR_FAILURES = (TooManyRequests, NotConfigured, StorageUnavailable)


@blueprint.get("/conversations")
@contract(query=ListQuerySchema, answer=ConversationListSchema, raises=OPERATOR_FAILURES)
def list_conversations(
    limit: int, where: ConversationFilter, cursor: str | None = None
) -> ConversationPage:
    """List conversations, newest-updated first."""
    return services().store.list_conversations(limit=limit, cursor=cursor, where=where)


@blueprint.delete("/conversations")
@contract(query=DeleteQuerySchema, answer=DeletedSchema, raises=OPERATOR_FAILURES)
def delete_conversations(session_id: str | None = None, user: str | None = None) -> dict[str, int]:
    """Delete everything that one session, or one user, said; running answers are stopped."""
    transcripts = Transcripts(services().store, services().end_session)
    if session_id is not None:
        return {"deleted": transcripts.delete_session(session_id)}
    return {"deleted": sum(1 for _ in transcripts.delete_all(ConversationFilter(user=user)))}


@blueprint.get("/conversations/<conversation_id>")
@contract(
    query=ThreadQuerySchema,
    answer=ThreadSchema,
    long="messages",
    raises=(ConversationNotFound, *OPERATOR_FAILURES),
)
def read_conversation(
    conversation_id: str, limit: int | None = None, cursor: str | None = None
) -> Thread:
    """Read a conversation and its messages, oldest first."""
    return services().store.read_thread(conversation_id, limit=limit, cursor=cursor)


@blueprint.delete("/conversations/<conversation_id>")
@contract(answer=DeletedSchema, raises=(InvalidRequest, ConversationNotFound, *OPERATOR_FAILURES))
def delete_conversation(conversation_id: str) -> dict[str, int]:
    """Delete a conversation and its messages; a running answer is stopped."""
    Transcripts(services().store, services().end_session).delete(conversation_id)
    return {"deleted": 1}


@blueprint.get("/export")
@contract(
    query=ExportQuerySchema,
    media_type=export.MEDIA_TYPES["jsonl"],
    other_media_types=(export.MEDIA_TYPES["csv"],),
    raises=OPERATOR_FAILURES,
)
def export_conversations(
    where: ConversationFilter, kind: export.Format, bom: bool | None, separator: str
) -> Response:
    """Download everything that was said, a message a line; a filter narrows it."""
    excerpts = Transcripts(services().store).export(where, now_ms=now_ms())
    return stream_export(excerpts, kind, bom=bom, separator=export.SEPARATORS[separator])


@blueprint.get("/stats")
@contract(query=StatisticsQuerySchema, answer=StatisticsSchema, raises=OPERATOR_FAILURES)
def read_stats(
    first: datetime, last: datetime, unit: Unit, assistant: str | None = None
) -> Statistics:
    """Tell what days, or hours, brought and cost."""
    store, prices = services().store, services().settings.model_prices
    return read_statistics(store, prices, first=first, last=last, unit=unit, assistant=assistant)
