"""The assistant as a model of OpenAI's API."""

import re
import secrets
import time

from flask import Blueprint, Response, jsonify, request

from app.domain.conversation import Question
from app.protocols.openai_chat import (
    OPENAI_CHAT,
    CompletionRequestSchema,
    CompletionSchema,
    ModelListSchema,
    OpenAIChat,
    to_completion,
)
from app.protocols.openai_parts import OpenAIRequest
from app.protocols.openai_responses import (
    OPENAI_RESPONSES,
    OpenAIResponses,
    ResponseRequestSchema,
    ResponseSchema,
    to_response,
)
from app.routes.headless import FAILURES
from app.routes.turn_response import complete_turn, stream_turn
from app.web.contract import contract
from app.web.current_request import current_request
from app.web.guards.sessions import asked_assistant, chatting_session, digest, own_session
from app.web.schemas.base import SESSION_ID

blueprint = Blueprint("openai", __name__, url_prefix="/v1")

_is_session = re.compile(SESSION_ID).fullmatch


@blueprint.post("/chat/completions")
@contract(
    protocol=OPENAI_CHAT,
    body=CompletionRequestSchema,
    answer=CompletionSchema,
    other_media_types=(OPENAI_CHAT.media_type,),
    raises=FAILURES,
)
def complete(asked: OpenAIRequest) -> Response | dict[str, object]:
    """Answer the last message, whole or as server-sent events."""
    model, question = asked_assistant().id, _to_question(asked)
    if asked.streams:
        return stream_turn(question, OpenAIChat(model, asked.tells_usage))
    return to_completion(complete_turn(question), model)


@blueprint.post("/responses")
@contract(
    protocol=OPENAI_RESPONSES,
    body=ResponseRequestSchema,
    answer=ResponseSchema,
    other_media_types=(OPENAI_RESPONSES.media_type,),
    raises=FAILURES,
)
def respond(asked: OpenAIRequest) -> Response:
    """Answer the last message in Open Responses, whole or as server-sent events."""
    model, question = asked_assistant().id, _to_question(asked)
    if asked.streams:
        return stream_turn(question, OpenAIResponses(model))
    # By itself: a client reads its nulls, which a schema leaves out.
    return jsonify(to_response(complete_turn(question), model))


@blueprint.get("/models")
@contract(protocol=OPENAI_CHAT, answer=ModelListSchema)
def list_models() -> dict[str, object]:
    """List the assistant that the key opens, as the only model."""
    model = {"id": asked_assistant().id, "object": "model", "created": int(time.time()),
             "owned_by": "perch"}  # fmt: skip
    return {"data": [model]}


def _to_question(asked: OpenAIRequest) -> Question:
    """Find the session; one that nobody named is this request's own, with the client's history."""
    key = request.headers.get("Idempotency-Key", "")
    named = request.headers.get("x-session-id", "") or asked.user or ""
    own = named == "" and current_request().session_id is None
    claimed = named if _is_session(named) else None
    session = own_session(key) if own else chatting_session(claimed)
    return Question(
        session_id=session,
        turn_id=digest(key)[:24] if key else secrets.token_hex(12),
        content=asked.message,
        assistant=current_request().assistant_id,
        history=asked.history if own else (),
    )
