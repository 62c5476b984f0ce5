"""Turn events as lines of newline-delimited JSON."""

import json
from collections.abc import Sequence
from json.encoder import encode_basestring, encode_basestring_ascii

import orjson

from app.domain.events import (
    Heartbeat,
    TokensReceived,
    TurnDone,
    TurnEvent,
    TurnFailed,
    TurnStarted,
)

MEDIA_TYPE = "application/x-ndjson"
CONTENT_TYPE = f"{MEDIA_TYPE}; charset=utf-8"
# Clients of the original skip empty lines.
_HEARTBEAT = b"\n"


def to_lines(event: TurnEvent) -> bytes:
    """Return an event as its lines: one, or one for each token."""
    match event:
        case TokensReceived():
            return token_lines(event.tokens)
        case Heartbeat():
            return _HEARTBEAT
        case TurnStarted():
            fields: dict[str, object] = {
                "type": "start",
                "conversationId": event.conversation_id,
                "turnId": event.turn_id,
            }
        case TurnDone():
            fields = {
                "type": "done",
                "message": event.message,
                "conversationId": event.conversation_id,
                "turnId": event.turn_id,
            }
            if event.message_id:
                fields["messageId"] = event.message_id
            if event.finish_reason:
                fields["finishReason"] = event.finish_reason
        case TurnFailed():
            fields = {"type": "error", "error": str(event.error), "code": event.error.code}
            if event.error.retryable:
                fields["retryable"] = True
            if event.error.retry_after_s is not None:
                fields["retryAfter"] = event.error.retry_after_s
    return _encode(fields)


def token_lines(tokens: Sequence[str]) -> bytes:
    """Return a line for each token.

    Runs for every token of every stream: it escapes with the C function
    under ``json.dumps`` and builds the rest of the line itself.
    """
    try:
        if len(tokens) == 1:  # most reads bring one
            return f'{{"type":"token","token":{encode_basestring(tokens[0])}}}\n'.encode()
        return "".join(
            [f'{{"type":"token","token":{encode_basestring(token)}}}\n' for token in tokens]
        ).encode()
    except UnicodeEncodeError:  # half of a surrogate pair: legal in JSON only when escaped
        return "".join(
            [f'{{"type":"token","token":{encode_basestring_ascii(token)}}}\n' for token in tokens]
        ).encode()


def _encode(fields: dict[str, object]) -> bytes:
    try:
        return orjson.dumps(fields) + b"\n"
    except TypeError:  # half of a surrogate pair, as above
        return (json.dumps(fields, separators=(",", ":")) + "\n").encode()
