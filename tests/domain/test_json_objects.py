"""Values as JSON objects, and back."""

import dataclasses
import typing
from typing import Any

import pytest

from app.domain.conversation import Conversation, Feedback, Message, Page, Usage
from app.domain.json_objects import from_object, present, to_camel, to_object
from app.domain.knowledge import Source
from app.domain.people import Notice

MESSAGE = Message(
    role="assistant",
    content="",
    created_at=1_700_000_000_000,
    usage=Usage(3, 4),
    latency_ms=0,
    feedback=Feedback("up"),
    sources=[Source(1, "Hours", "https://shop.example/"), Source(2, "terms.pdf")],
)
OBJECT = {
    "role": "assistant",
    "content": "",
    "createdAt": 1_700_000_000_000,
    "id": "",
    "usage": {"promptTokens": 3, "completionTokens": 4},
    "latencyMs": 0,
    "feedback": {"rating": "up"},
    "sources": [
        {"n": 1, "title": "Hours", "url": "https://shop.example/"},
        {"n": 2, "title": "terms.pdf"},
    ],
}


def as_floats(value: Any) -> Any:
    """Return an object as Convex tells it: every number is a float."""
    if isinstance(value, dict):
        return {name: as_floats(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_floats(each) for each in value]
    return float(value) if isinstance(value, int) else value


def test_what_is_none_is_left_out_and_what_is_nothing_is_not() -> None:
    assert to_object(MESSAGE) == OBJECT
    assert present(zero=0, blank="", none=None) == {"zero": 0, "blank": ""}


def test_value_comes_back_with_whole_numbers() -> None:
    told = from_object(Message, as_floats(OBJECT))

    assert told == MESSAGE
    assert [type(each) for each in (told.created_at, told.latency_ms)] == [int, int]


def test_what_is_absent_is_by_default_and_what_is_unknown_is_passed_over() -> None:
    told = {"id": "c-1", "sessionId": "s-1", "createdAt": 1.0, "updatedAt": 2.0, "page": None}

    assert from_object(Conversation, {**told, "new": 1}) == Conversation("c-1", "s-1", 1, 2)
    assert from_object(Conversation, {**told, "page": {"url": "/"}}).page == Page("/")


def test_tuples_stay_tuples() -> None:
    told = {"id": "n-1", "type": "test", "createdAt": 1, "assistant": "default"}

    assert from_object(Notice, {**told, "pending": ["email"]}).pending == ("email",)
    assert from_object(Notice, told).pending is None


def test_what_a_value_needs_is_missed() -> None:
    with pytest.raises(TypeError):
        from_object(Feedback, {"comment": "Why?"})


def test_names_are_spelled_as_json_spells_them() -> None:
    names = typing.get_type_hints(Usage) | {each.name: 0 for each in dataclasses.fields(Page)}

    assert [to_camel(name) for name in names] == [
        "promptTokens", "completionTokens", "reasoningTokens", "url", "title",
    ]  # fmt: skip
