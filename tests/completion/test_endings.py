"""Why a model ended, by kind."""

import pytest

from app.completion.endings import Kind, failure_of_ending, has_ended, read_reason
from app.domain.conversation import Usage
from app.domain.errors import ModelFailure, ModelInterrupted, ModelUnavailable


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("stop", Kind.ENDED),
        ("STOP", Kind.ENDED),
        ("FinishReason.STOP", Kind.ENDED),
        ("end_turn", Kind.ENDED),
        ("eos_token", Kind.ENDED),
        ("stop_sequence", Kind.ENDED),
        ("length", Kind.LENGTH),
        ("MAX_TOKENS", Kind.LENGTH),
        ("max-output-tokens", Kind.LENGTH),
        ("content-filter", Kind.FILTERED),
        ("content_filter: hate", Kind.FILTERED),
        ("SAFETY", Kind.FILTERED),
        ("error", Kind.BROKE),
        ("error: upstream", Kind.BROKE),
        ("insufficient_system_resource", Kind.BROKE),
        ("FinishReason.MAX_TOKENS", Kind.LENGTH),
        ("FINISH_REASON_STOP", Kind.ENDED),
        ("endTurn", Kind.ENDED),
        ("maxTokens", Kind.LENGTH),
        ("length_limit: 800", Kind.LENGTH),
        ("ERROR_LIMIT", Kind.LENGTH),
        ("IMAGE_SAFETY", Kind.FILTERED),
        ("ERROR_TOXIC", Kind.FILTERED),
        ("policy-violation", Kind.FILTERED),
        ("model_error", Kind.BROKE),
        ("upstream error", Kind.BROKE),
        ("user_cancelled", Kind.BROKE),
        ("timed_out", Kind.BROKE),
        ("rate_limit", Kind.BROKE),
        ("stop_token", Kind.ENDED),
        ("tool_calls", Kind.UNKNOWN),
        ("tool_use", Kind.UNKNOWN),
        ("MALFORMED_FUNCTION_CALL", Kind.UNKNOWN),
        ("something-new", Kind.UNKNOWN),
        ("because", Kind.UNKNOWN),
        ("", Kind.UNKNOWN),
    ],
)
def test_reasons_are_read_by_kind(reason: str, kind: Kind) -> None:
    assert read_reason(reason) is kind


@pytest.mark.parametrize(
    ("reason", "has"),
    [
        (None, False),
        ("", False),
        (" ", False),
        ("null", False),
        ("None", False),
        ("FINISH_REASON_UNSPECIFIED", False),
        ("stop", True),
        ("because", True),
        ({"type": "stop"}, True),
    ],
)
def test_word_for_no_reason_is_none(reason: object, has: bool) -> None:
    assert has_ended(reason) is has


@pytest.mark.parametrize(
    ("reason", "has_said", "failure"),
    [
        ("stop", True, None),
        ("stop", False, None),
        ("length", True, None),
        ("length", False, ModelInterrupted),
        ("content_filter", False, None),
        ("tool_calls", True, None),
        ("tool_calls", False, ModelInterrupted),
        ("something-new", True, None),
        ("something-new", False, ModelInterrupted),
        ("error", True, ModelUnavailable),
        ("error", False, ModelUnavailable),
    ],
)
def test_end_without_an_answer_is_a_failure(
    reason: str, has_said: bool, failure: type[ModelFailure] | None
) -> None:
    found = failure_of_ending(reason, has_said=has_said, usage=None)

    assert (type(found) if found else None) is failure


@pytest.mark.parametrize(
    ("usage", "cause"),
    [
        (None, "all of MAX_OUTPUT_TOKENS went before the first word"),
        (Usage(50, 800), "all 800 of MAX_OUTPUT_TOKENS went before the first word"),
        (
            Usage(50, 800, 800),
            "all 800 of MAX_OUTPUT_TOKENS went before the first word, 800 of them on reasoning",
        ),
    ],
)
def test_owner_is_told_what_went_on_thoughts(usage: Usage | None, cause: str) -> None:
    failure = failure_of_ending("length", has_said=False, usage=usage)

    assert isinstance(failure, ModelInterrupted)
    assert failure.ran_out
    assert failure.cause == f"{cause}: raise it, or let the model think less"


def test_thought_without_an_end_is_no_answer() -> None:
    failure = failure_of_ending("stop", has_said=False, usage=None, has_only_thought=True)

    assert isinstance(failure, ModelInterrupted)
    assert failure.ran_out


@pytest.mark.parametrize(
    ("reason", "named"), [("error", "error"), ("error: it said x", "a reason of its own")]
)
def test_cause_names_a_reason_only_where_it_is_a_word(reason: str, named: str) -> None:
    failure = failure_of_ending(reason, has_said=False, usage=None)

    assert failure is not None
    assert failure.cause == f"the model ended with {named}"
