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
