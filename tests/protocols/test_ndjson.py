"""Events as lines."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import ModelMisconfigured, ServerRestarting, ServiceError
from app.domain.events import (
    Heartbeat,
    TokensReceived,
    TurnDone,
    TurnEvent,
    TurnFailed,
    TurnStarted,
)
from app.protocols.ndjson import NDJSON
from app.protocols.protocol import encode
from app.web.schemas.chat import DoneLineSchema, ErrorLineSchema, StartLineSchema, TokenLineSchema

DONE = b'{"type":"done","message":"Hi","conversationId":"c-1","turnId":"t-1"'
MISCONFIGURED = b'{"type":"error","error":"The assistant is not set up correctly"'
RESTARTING = b'{"type":"error","error":"The assistant is restarting","code":"server_restarting"'
LINES: list[tuple[TurnEvent, bytes]] = [
    (TurnStarted("c-1", "t-1"), b'{"type":"start","conversationId":"c-1","turnId":"t-1"}\n'),
    (
        TokensReceived(["Hi", " you"]),
        b'{"type":"token","token":"Hi"}\n{"type":"token","token":" you"}\n',
    ),
    (TokensReceived([]), b""),
    (Heartbeat(), b"\n"),
    (
        TurnDone("Grüße", "c-1", "t-1"),
        '{"type":"done","message":"Grüße","conversationId":"c-1","turnId":"t-1"}\n'.encode(),
    ),
    (
        TurnDone("Hi", "c-1", "t-1", "length"),
        DONE + b',"finishReason":"length"}\n',
    ),
    (
        TurnFailed(ModelMisconfigured()),
        MISCONFIGURED + b',"code":"model_misconfigured"}\n',
    ),
    (
        TurnFailed(ServerRestarting(retry_after_s=2)),
        RESTARTING + b',"retryable":true,"retryAfter":2}\n',
    ),
]


@pytest.mark.parametrize(("event", "lines"), LINES)
def test_each_event_has_its_line(event: TurnEvent, lines: bytes) -> None:
    assert encode(NDJSON, event) == lines


def parsed(lines: bytes) -> list[dict[str, object]]:
    """What a client reads that cuts at line feeds, and at nothing else."""
    *whole, rest = lines.split(b"\n")
    assert rest == b""
    return [json.loads(line) for line in whole]


any_text = st.text(st.characters(), max_size=30)  # lone surrogates and control characters, too


@settings(max_examples=50)
@given(st.lists(any_text, max_size=6))
def test_any_tokens_round_trip(tokens: Sequence[str]) -> None:
    assert parsed(NDJSON.tokens(tokens)) == [{"type": "token", "token": each} for each in tokens]


@settings(max_examples=50)
@given(any_text)
def test_any_message_round_trips(message: str) -> None:
    [line] = parsed(encode(NDJSON, TurnDone(message, "c-1", "t-1")))

    assert line["message"] == message


@settings(max_examples=50)
@given(any_text)
def test_any_error_round_trips(text: str) -> None:
    [line] = parsed(encode(NDJSON, TurnFailed(ServiceError(text or None))))

    assert line["error"] == (text or "Internal server error")


@pytest.mark.parametrize(
    ("event", "schema"),
    [
        (TurnStarted("c-1", "t-1"), StartLineSchema),
        (TokensReceived(["Hi"]), TokenLineSchema),
        (TurnDone("Hi", "c-1", "t-1", "stopped"), DoneLineSchema),
        (TurnFailed(ServerRestarting(retry_after_s=2)), ErrorLineSchema),
    ],
)
def test_lines_are_what_the_document_says(event: TurnEvent, schema: type) -> None:
    [line] = parsed(encode(NDJSON, event))

    assert schema().validate(line) == {}
