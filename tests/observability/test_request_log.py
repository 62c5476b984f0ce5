"""What the log says of a turn that failed: why, once, on every route."""

import logging
from typing import TYPE_CHECKING

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from app.domain.errors import ModelMisconfigured, ModelUnavailable
from tests.fakes import ScriptedModel

if TYPE_CHECKING:
    from tests.conftest import Ask

CAUSE = "401, invalid_api_key: Incorrect API key provided"


def refusal() -> ModelMisconfigured:
    failure = ModelMisconfigured()
    failure.cause, failure.mend = CAUSE, "OPENAI_API_KEY"
    return failure


@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/stream", "/chat"])
@pytest.mark.parametrize("at_start", [True, False])
def test_turn_that_failed_says_why_once(
    ask: "Ask", model: ScriptedModel, caplog: pytest.LogCaptureFixture, path: str, at_start: bool
) -> None:
    if at_start:
        model.script(start=refusal())
    else:
        model.script("Half", refusal())

    with capture_logs([merge_contextvars]) as lines, caplog.at_level(logging.WARNING):
        response = ask(path=path)
        response.get_data()
        response.close()

    (line,) = [each for each in lines if each["event"] == "stream"]
    assert (line["log_level"], line["outcome"]) == ("warning", "model_misconfigured")
    assert (line["cause"], line["check"]) == (CAUSE, "OPENAI_API_KEY")
    assert line["id"] == response.headers["X-Request-Id"]
    assert CAUSE not in caplog.text


def test_turn_that_went_well_says_no_cause(ask: "Ask") -> None:
    with capture_logs() as lines:
        ask()

    (line,) = [each for each in lines if each["event"] == "stream"]
    assert line["log_level"] == "info"
    assert not {"cause", "check"} & set(line)


def test_failure_that_says_nothing_of_its_own_is_named_all_the_same(
    ask: "Ask", model: ScriptedModel
) -> None:
    model.script(start=ModelUnavailable())

    with capture_logs() as lines:
        ask()

    (line,) = [each for each in lines if each["event"] == "stream"]
    assert line["cause"] == "The assistant is not available right now"
