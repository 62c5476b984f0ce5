"""The lines of a stream: the fixture that the widget's tests read, written by us."""

from pathlib import Path

from app.domain.errors import ModelInterrupted, ServerRestarting
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

FIXTURE = Path(__file__).parents[1] / "fixtures" / "turn.ndjson"
CONVERSATION = "k57cq3n1"
TURN = "turn-0001"
EVENTS: tuple[TurnEvent, ...] = (
    TurnStarted(CONVERSATION, TURN),
    Heartbeat(),
    TokensReceived(["Hello", ' "you"\n', "👋 你好 \\o/"]),
    TurnDone('Hello "you"\n👋 你好 \\o/', CONVERSATION, TURN, message_id="m-0002"),
    TurnDone("Hello", CONVERSATION, TURN, message_id="m-0002", finish_reason="length"),
    TurnFailed(ModelInterrupted()),
    TurnFailed(ServerRestarting(retry_after_s=2)),
)


def test_the_wire_fixture_is_what_the_server_writes() -> None:
    written = b"".join(encode(NDJSON, event) for event in EVENTS)

    assert written == FIXTURE.read_bytes()
