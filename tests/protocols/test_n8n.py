"""n8n's chat: what its widget reads of lines, and of what was said before."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from app.domain.conversation import Message
from app.domain.errors import ServiceError
from app.domain.events import TurnDone, TurnFailed, TurnStarted
from app.domain.knowledge import Source
from app.protocols.n8n import N8N, N8nRequest, N8nRequestSchema, to_output, to_previous_session
from app.protocols.protocol import Encoder

HALF = "half \ud83d of a pair"
SOURCE = Source(1, "Hours", "https://example.org/h")
LISTED = "\n\n* \\[1\\] [Hours](https://example.org/h)"
ASKED = {"action": "sendMessage", "sessionId": "s-1", "chatInput": "Hi"}


def begun() -> Encoder:
    encoder = N8N.encoder()
    encoder.started(TurnStarted("c-1", "turn-0001"))
    return encoder


def lines(data: bytes) -> list[Any]:
    """What the widget reads: lines of JSON, blank ones skipped."""
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data.split(b"\n") if line.strip()]


def shown(told: list[Any]) -> str:
    return "".join(each["content"] for each in told if each["type"] == "item")


def test_answer_is_items_between_begin_and_end_of_one_node() -> None:
    encoder = N8N.encoder()
    data = encoder.started(TurnStarted("c-1", "turn-0001"))
    data += encoder.tokens(["Hel", "lo"]) + encoder.heartbeat + encoder.tokens([" you"])
    told = lines(data + encoder.done(TurnDone("Hello you", "c-1", "turn-0001")))

    assert [(each["type"], each.get("content")) for each in told] == [
        ("begin", None), ("item", "Hello"), ("item", " you"), ("end", None),
    ]  # fmt: skip
    assert all(each["metadata"] == told[0]["metadata"] for each in told)
    assert {*told[0]["metadata"]} == {"nodeId", "nodeName", "itemIndex", "runIndex", "timestamp"}


@settings(max_examples=50)
@given(st.lists(st.text(st.characters(), max_size=30), max_size=6))
@example([HALF])
def test_any_tokens_come_through(tokens: list[str]) -> None:
    assert shown(lines(begun().tokens(tokens))) == "".join(tokens)


def test_answer_without_a_token_is_told_at_its_end() -> None:
    told = lines(begun().done(TurnDone(HALF, "c-1", "turn-0001")))

    assert [each["type"] for each in told] == ["item", "end"]
    assert shown(told) == HALF


def test_sources_stand_behind_the_answer_streamed_or_whole_or_loaded_again() -> None:
    done = TurnDone("From 10 [1].", "c-1", "turn-0001", sources=[SOURCE])
    kept = Message("assistant", done.message, sources=[SOURCE])
    encoder = begun()

    streamed = shown(lines(encoder.tokens([done.message]) + encoder.done(done)))

    assert streamed == done.message + LISTED
    assert to_output(done) == {"output": streamed}
    assert to_previous_session([kept])["data"][0]["kwargs"]["content"] == streamed


def test_error_stands_apart_from_what_was_said() -> None:
    encoder = begun()
    failed = TurnFailed(ServiceError("It broke."))

    at_once = lines(encoder.failed(failed))
    encoder.tokens(["Half"])
    later = lines(encoder.failed(failed))

    assert [(each["type"], each["content"]) for each in at_once] == [("error", "It broke.")]
    assert [(each["type"], each["content"]) for each in later] == [
        ("item", "\n\n"), ("error", "It broke."),
    ]  # fmt: skip


def test_what_was_said_is_of_visitor_and_assistant_and_events_are_left_out() -> None:
    messages = [
        Message("user", "Hi"),
        Message("assistant", "Hello"),
        Message("system", "", event="taken", author="Ada"),
        Message("operator", "Ada here", author="Ada"),
        Message("assistant", "", status="error"),
    ]

    told = to_previous_session(messages)["data"]

    assert [(each["id"][-1], each["kwargs"]["content"]) for each in told] == [
        ("HumanMessage", "Hi"), ("AIMessage", "Hello"), ("AIMessage", "Ada here"),
    ]  # fmt: skip


def test_metadata_may_name_the_turn() -> None:
    asked = N8nRequestSchema().load({**ASKED, "metadata": {"turnId": "turn-0001", "page": 1}})

    assert asked == N8nRequest("Hi", "s-1", "turn-0001", action="sendMessage")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"chatInput": ""}, "chatInput"),
        ({"chatInput": " "}, "chatInput"),
        ({"chatInput": "x" * 4001}, "chatInput"),
        ({"action": "other"}, "action"),
        ({"sessionId": ""}, "sessionId"),
        ({"sessionId": None}, "sessionId"),
        ({"metadata": {"turnId": "short"}}, "metadata"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_field(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        N8nRequestSchema().load({**ASKED, **wrong})

    assert [*refused.value.normalized_messages()] == [field]
