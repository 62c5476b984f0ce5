"""What the protocols of server-sent events have in common: any text comes through."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.errors import ServiceError
from app.domain.events import TurnDone, TurnFailed, TurnStarted
from app.protocols.ag_ui import AgUi
from app.protocols.ai_sdk import AI_SDK
from app.protocols.deep_chat import DEEP_CHAT
from app.protocols.openai_chat import OpenAIChat
from app.protocols.openai_responses import OpenAIResponses
from app.protocols.protocol import AnswerProtocol, Encoder

HALF = "half \ud83d of a pair"
any_text = st.text(st.characters(), max_size=30)  # lone surrogates and control characters, too

PROTOCOLS: dict[str, AnswerProtocol] = {
    "AG-UI": AgUi("thread-1", "run-1"),
    "AI SDK": AI_SDK,
    "deep-chat": DEEP_CHAT,
    "OpenAI chat": OpenAIChat("default", tells_usage=True),
    "OpenAI responses": OpenAIResponses("default"),
}
# Where a delta, and the text of an error, stand in an event.
DELTAS: dict[str, Callable[[Any], Any]] = {
    "AG-UI": lambda event: event.get("delta"),
    "AI SDK": lambda event: event.get("delta"),
    "deep-chat": lambda event: event.get("text"),
    "OpenAI chat": lambda event: "".join(
        each["delta"].get("content", "") for each in event["choices"]
    ),
    "OpenAI responses": lambda event: event.get("delta"),
}
ERRORS: dict[str, Callable[[Any], Any]] = {
    "AG-UI": lambda event: event["message"],
    "AI SDK": lambda event: event["errorText"],
    "deep-chat": lambda event: event["error"],
    "OpenAI chat": lambda event: event["error"]["message"],
    "OpenAI responses": lambda event: event["response"]["error"]["message"],
}
each_protocol = pytest.mark.parametrize("name", PROTOCOLS)


def begun(name: str) -> Encoder:
    """An encoder that has told the beginning of an answer."""
    encoder = PROTOCOLS[name].encoder()
    encoder.started(TurnStarted("c-1", "turn-0001"))
    return encoder


def parsed(data: bytes) -> list[Any]:
    """What a client reads of events, each with one line of data (WHATWG HTML, section 9.2)."""
    *events, rest = data.split(b"\n\n")
    assert rest == b""
    told = [event.splitlines()[-1].removeprefix(b"data: ") for event in events]
    return [json.loads(each) for each in told if each != b"[DONE]"]


def text_of(name: str, data: bytes) -> str:
    """What is said in events, put together."""
    return "".join(DELTAS[name](event) or "" for event in parsed(data))


@each_protocol
@settings(max_examples=25)
@given(st.lists(any_text, max_size=6))
@example([HALF])
def test_any_tokens_come_through(name: str, tokens: list[str]) -> None:
    assert text_of(name, begun(name).tokens(tokens)) == "".join(tokens)


@each_protocol
@settings(max_examples=25)
@given(any_text)
@example(HALF)
def test_any_answer_without_a_token_is_told_at_its_end(name: str, message: str) -> None:
    assert text_of(name, begun(name).done(TurnDone(message, "c-1", "turn-0001"))) == message


@each_protocol
def test_answer_that_was_told_is_not_told_again_at_its_end(name: str) -> None:
    encoder = begun(name)
    encoder.tokens([HALF])

    assert text_of(name, encoder.done(TurnDone(HALF, "c-1", "turn-0001"))) == ""


@each_protocol
@settings(max_examples=25)
@given(any_text.filter(bool))
@example(HALF)
def test_any_error_comes_through(name: str, text: str) -> None:
    [event] = parsed(begun(name).failed(TurnFailed(ServiceError(text))))

    assert ERRORS[name](event) == text


@each_protocol
def test_heartbeat_is_a_comment(name: str) -> None:
    assert begun(name).heartbeat == b": wait\n\n"
