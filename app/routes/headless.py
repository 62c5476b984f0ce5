"""The same assistant as an HTTP API, for any front end."""

import secrets

from flask import Blueprint, Response

from app.domain.conversation import Question
from app.domain.errors import (
    Conflict,
    ModelFailure,
    Overloaded,
    StorageUnavailable,
    TooManyRequests,
)
from app.domain.events import TurnDone
from app.protocols.ndjson import NDJSON
from app.protocols.protocol import ChatRequest
from app.routes.turn_response import complete_turn, stream_turn
from app.web.contract import contract
from app.web.current_request import current_request
from app.web.guards.sessions import chatting_session
from app.web.schemas.chat import ChatSchema, ReplySchema

blueprint = Blueprint("headless", __name__)

FAILURES = (TooManyRequests, Conflict, ModelFailure, StorageUnavailable, Overloaded)


@blueprint.post("/v1/chat")
@contract(body=ChatSchema, answer=ReplySchema, raises=FAILURES)
def chat(asked: ChatRequest) -> TurnDone:
    """Answer a message in one body."""
    return complete_turn(to_question(asked))


@blueprint.post("/v1/chat/stream")
@contract(protocol=NDJSON, raises=FAILURES)
def stream(asked: ChatRequest) -> Response:
    """Stream an answer, one JSON object a line."""
    return stream_turn(to_question(asked), NDJSON)


def to_question(asked: ChatRequest) -> Question:
    """Find the session, and name the turn where the client did not."""
    return Question(
        session_id=chatting_session(asked.session_id),
        turn_id=asked.turn_id or secrets.token_hex(12),
        content=asked.message,
        regenerate=asked.regenerate,
        page=asked.page,
        assistant=current_request().assistant_id,
    )
