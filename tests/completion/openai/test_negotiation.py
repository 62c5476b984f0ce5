"""What a refusal teaches about the shape of a request."""

import pytest

from app.completion.openai.negotiation import find_refused
from app.completion.openai.refusals import parse_error

FIELDS = ["max_tokens", "stream_options", "stream", "system"]


@pytest.mark.parametrize("param", [None, "", "None", "null", "body"])
def test_param_that_names_nothing_leaves_it_to_the_sentence(param: str | None) -> None:
    message = "UnsupportedParamsError: m does not support parameters: ['stream_options']"
    error = parse_error({"error": {"message": message, "param": param}}, 400)

    assert find_refused(error, FIELDS) == "stream_options"


def test_param_of_another_field_is_believed() -> None:
    error = parse_error({"error": {"message": "no stream_options here", "param": "n"}}, 400)

    assert find_refused(error, FIELDS) is None


@pytest.mark.parametrize(
    ("status", "told", "field"),
    [
        (400, {"detail": [{"loc": "body.max_tokens", "msg": "extra fields"}]}, "max_tokens"),
        (400, {"error": "First message must be from user"}, "system"),
        (400, {"error": {"message": "messages[0].role: expected 'user' or 'assistant'"}}, "system"),
        (400, {"error": {"message": "no 'none'", "param": "reasoning.effort"}}, "reasoning_effort"),
        (400, {"error": {"message": '"m-1" does not support thinking'}}, "reasoning_effort"),
        # llama.cpp answers what a chat template raises with 500.
        (500, {"error": {"message": "Jinja Exception: System role not supported"}}, "system"),
        (500, {"error": {"message": "max_tokens is not what failed"}}, None),
    ],
)
def test_refused_field_is_found_however_it_is_named(
    status: int, told: object, field: str | None
) -> None:
    assert find_refused(parse_error(told, status), [*FIELDS, "reasoning_effort"]) == field
