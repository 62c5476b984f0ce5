"""The assistant behind other front ends: the AI SDK, AG-UI's agents, n8n's chat, deep-chat."""

import hashlib
import re
import secrets
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request

from app.domain.conversation import Question
from app.domain.errors import Overloaded, StorageUnavailable
from app.protocols.ag_ui import AG_UI, AgUi, RunRequest, read_event_id
from app.protocols.ai_sdk import AI_SDK, UiChatRequest
from app.protocols.deep_chat import (
    DEEP_CHAT,
    DeepChatAnswerSchema,
    DeepChatRequestSchema,
    to_text,
)
from app.protocols.n8n import (
    N8N,
    N8nAnswerSchema,
    N8nRequest,
    N8nRequestSchema,
    to_output,
    to_previous_session,
)
from app.protocols.protocol import AnswerProtocol, ChatRequest
from app.routes.headless import FAILURES
from app.routes.session import nothing
from app.routes.turn_response import complete_turn, stream_again, stream_turn
from app.web.contract import contract
from app.web.current_request import current_request
from app.web.guards.sessions import chatting_session, own_session
from app.web.schemas.base import TURN_ID
from app.web.schemas.chat import NothingSchema
from app.web.services import services

blueprint = Blueprint("front_ends", __name__, url_prefix="/v1")

# What the widget of n8n shows when a visitor comes back.
_SHOWN_MESSAGES = 100
# The narrower of the two forms: a session's id may be as this, too.
_is_id = re.compile(TURN_ID).fullmatch


@blueprint.post("/ai-sdk/chat")
@contract(protocol=AI_SDK, raises=FAILURES)
def chat(asked: UiChatRequest) -> Response:
    """Stream an answer to the user's last message; the chat's id names the session."""
    # The same message sent again is the same turn.
    return stream_turn(_to_question(asked, asked.session_id or "", asked.message_id), AI_SDK)


@blueprint.get("/ai-sdk/chat/<chat_id>/stream")
@contract(
    tells=AI_SDK,
    raises=(StorageUnavailable, Overloaded),
    otherwise={204: NothingSchema},
)
def resume(chat_id: str) -> Response:
    """Stream the answer that is being written from its beginning; 204 where none is.

    To a session token alone: the id of a chat is no secret.
    """
    session = current_request().session_id
    thread = services().store.read_session(session, limit=1) if session is not None else None
    if thread is None or thread.running_turn_id is None:
        return nothing()
    return stream_again(thread.running_turn_id, AI_SDK)


@blueprint.post("/ag-ui")
@contract(protocol=AG_UI, raises=FAILURES)
def run_agent(asked: RunRequest) -> Response:
    """Stream a run; its thread names the session, and the same run sent again is the same turn.

    Who has a session token may come back to a run with the header `Last-Event-ID`,
    and is told what came after that event.
    """
    question = _to_question(asked, asked.thread_id, asked.run_id)
    protocol = AgUi(asked.thread_id, asked.run_id, current_request().session_id is not None)
    turn_id, told = read_event_id(request.headers.get("Last-Event-ID", ""))
    if protocol.has_ids and turn_id == question.turn_id:
        return stream_again(turn_id, replace(protocol, after=told))
    return stream_turn(question, protocol)


@blueprint.post("/n8n")
@contract(
    protocol=N8N,
    body=N8nRequestSchema,
    answer=N8nAnswerSchema,
    other_media_types=(N8N.media_type,),
    raises=FAILURES,
)
def chat_as_n8n(asked: N8nRequest) -> Response | dict[str, object]:
    """Answer a message as n8n's chat expects, whole or streamed, or tell what was said before.

    That only to a session token: the id that the widget made up is no secret.
    """
    if asked.action == "loadPreviousSession":
        return _previous_session()
    question = _to_question(asked, asked.session_id or "", asked.turn_id or "")
    if _is_asked_for(N8N):
        return stream_turn(question, N8N)
    return to_output(complete_turn(question))


@blueprint.post("/deep-chat")
@contract(
    protocol=DEEP_CHAT,
    body=DeepChatRequestSchema,
    answer=DeepChatAnswerSchema,
    other_media_types=(DEEP_CHAT.media_type,),
    raises=FAILURES,
)
def chat_as_deep_chat(asked: ChatRequest) -> Response | dict[str, object]:
    """Answer the last message as deep-chat expects, whole or as server-sent events."""
    turn = asked.turn_id or secrets.token_hex(12)
    if asked.session_id or current_request().session_id is not None:
        question = _to_question(asked, asked.session_id or "", turn)
    else:
        question = Question(
            session_id=own_session(asked.turn_id or ""),
            turn_id=turn,
            content=asked.message,
            assistant=current_request().assistant_id,
            history=asked.history,
        )
    if _is_asked_for(DEEP_CHAT):
        return stream_turn(question, DEEP_CHAT)
    return to_text(complete_turn(question))


def _previous_session() -> dict[str, Any]:
    session = current_request().session_id
    thread = services().store.read_session(session, limit=_SHOWN_MESSAGES) if session else None
    if thread is None:
        return to_previous_session(())
    services().people.note_read(thread.conversation)
    return to_previous_session(thread.messages)


def _is_asked_for(protocol: AnswerProtocol) -> bool:
    """Return whether the protocol's streams are what a client accepts."""
    return protocol.media_type in request.headers.get("Accept", "").lower()


def _to_question(asked: ChatRequest, session: str, turn: str) -> Question:
    return Question(
        session_id=chatting_session(_to_id(session)),
        turn_id=_to_id(turn) if turn else secrets.token_hex(12),
        content=asked.message,
        regenerate=asked.regenerate,
        assistant=current_request().assistant_id,
    )


def _to_id(given: str) -> str:
    """Return an id as we name sessions and turns."""
    return given if _is_id(given) else hashlib.sha256(given.encode()).hexdigest()[:32]
