"""The visitor's chat, as the original's embeds call it."""

from flask import Blueprint, Response

from app.protocols.ndjson import NDJSON
from app.protocols.protocol import ChatRequest
from app.routes.headless import FAILURES, to_question
from app.routes.turn_response import stream_turn
from app.web.contract import contract

blueprint = Blueprint("chat", __name__)


@blueprint.post("/chat")
@contract(protocol=NDJSON, raises=FAILURES)
def chat(asked: ChatRequest) -> Response:
    """Stream an answer, under the name that the original gave it."""
    return stream_turn(to_question(asked), NDJSON)
