"""What providers say in place of an answer, and what it means."""

import html
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.completion.causes import Redaction
from app.completion.openai.refusals import failure_of, parse_error, read_error, read_retry_after
from app.domain.errors import (
    ModelFailure,
    ModelMisconfigured,
    ModelRateLimited,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
    ProviderError,
)

QUESTION = "How do I return the blue lamp that I bought last week?"
HIDE = Redaction([QUESTION], ["a-key-of-the-owner"])


def refuse(status: int, body: Any, location: str | None = None) -> ModelFailure:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return failure_of(read_error(status, data, location), HIDE)


def openai_error(message: str = "x", code: Any = None, kind: str = "invalid_request_error") -> Any:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


GEMINI_KEY = {
    "error": {
        "code": 400,
        "message": "API key not valid. Please pass a valid API key.",
        "status": "INVALID_ARGUMENT",
        "details": [{"@type": "x", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}],
    }
}
OWNERS: dict[str, tuple[int, Any]] = {
    "problem details": (400, {"title": "Bad Request", "detail": "The API key is unknown"}),
    "disabled key": (400, {"message": "This api key has been disabled"}),
    "apigee": (400, {"fault": {"faultstring": "Invalid ApiKey", "detail": {"errorcode": "x"}}}),
    "openai key": (401, openai_error("Incorrect API key provided", "invalid_api_key")),
    "openai quota": (429, openai_error("You exceeded", "insufficient_quota", "insufficient_quota")),
    "openai model": (404, openai_error("The model `x` does not exist", "model_not_found")),
    "openai model, 400": (400, openai_error("x", "model_not_found")),
    "gemini key": (400, GEMINI_KEY),
    "gemini key in a list": (400, [GEMINI_KEY]),
    "gemini without details": (400, {"error": {"message": "API key not valid. Please pass one."}}),
    "gemini key expired": (400, {"error": {"message": "API key expired. Please renew it."}}),
    "deepseek model": (400, openai_error("Model Not Exist", "invalid_request_error")),
    "openrouter model": (
        400,
        {"error": {"message": "gpt-4.1-minni is not a valid model ID", "code": 400}},
    ),
    "anthropic credit": (
        400,
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "Your credit balance is too low to access the Anthropic API.",
            },
        },
    ),
    "anthropic model": (
        404,
        {"type": "error", "error": {"type": "not_found_error", "message": "model: claude-x"}},
    ),
    "groq model": (
        400,
        openai_error("The model `mixtral` has been decommissioned and is no longer supported."),
    ),
    "ollama model": (404, {"error": "model 'llama9' not found, try pulling it first"}),
    "ollama model, 400": (400, {"error": 'model "llama9" not found, try pulling it first'}),
    "vllm model": (
        400,
        {"object": "error", "message": "The model `x` does not exist.", "code": 400},
    ),
    "cloudflare": (
        400,
        {"success": False, "errors": [{"code": 7003, "message": "No such model x"}]},
    ),
    "dashscope": (400, {"code": "InvalidApiKey", "message": "Invalid API-key provided."}),
    "responses only": (
        404,
        openai_error(
            "This model is only supported in v1/responses and not in v1/chat/completions."
        ),
    ),
    "relay without the model": (503, openai_error("No available channel", "model_not_found")),
    "xai key": (
        400,
        {
            "code": "Client specified an invalid argument",
            "error": "Incorrect API key provided: xa***. You can obtain an API key from us.",
        },
    ),
    "cohere token": (400, {"message": "invalid api token"}),
    "cloudflare token": (
        400,
        {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]},
    ),
    "mistral model": (
        400,
        {"object": "error", "message": "Invalid model: m", "type": "invalid_model", "code": "1500"},
    ),
    "huggingface model": (
        400,
        {"error": "The requested model 'a/b' is not supported by any provider you have enabled."},
    ),
    "watsonx model": (
        400,
        {"errors": [{"code": "model_not_supported", "message": "Model 'x' is not supported."}]},
    ),
    "bedrock gateway model": (400, {"detail": "Unsupported model x, please use models API"}),
    "litellm model": (
        400,
        {"error": {"message": "Invalid model name passed in model=x.", "param": "None"}},
    ),
    "litellm budget": (
        400,
        {"error": {"message": "Budget has been exceeded!", "type": "budget_exceeded"}},
    ),
    "azure model of another kind": (
        400,
        {"error": {"code": "OperationNotSupported", "message": "does not work with the model"}},
    ),
    "ollama model of another kind": (
        400,
        openai_error('"nomic-embed-text" does not support chat', None, "api_error"),
    ),
    "lm studio without a model": (400, openai_error("No models loaded. Please load a model.")),
    "tabby without a model": (400, {"detail": "not processed because no models are loaded"}),
    "gemini from another country": (
        400,
        {
            "error": {
                "code": 400,
                "message": "User location is not supported for the API use.",
                "status": "FAILED_PRECONDITION",
            }
        },
    ),
    "anthropic's own limit": (
        400,
        {"error": {"message": "You have reached your specified API usage limits."}},
    ),
    "groq restricted": (400, openai_error("Organization has been restricted.")),
    "fireworks suspended": (412, {"error": {"message": "Account suspended"}}),
    "zhipu balance": (429, {"error": {"code": "1113", "message": "余额不足或无可用资源包"}}),
    "zhipu model": (400, {"error": {"code": "1211", "message": "模型不存在，请检查模型代码。"}}),
    "minimax balance": (
        400,
        {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}},
    ),
    "http to https, nginx": (
        400,
        b"<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title>",
    ),
    "http to https, go": (400, b"Client sent an HTTP request to an HTTPS server.\n"),
    "as an event": (
        400,
        b'event: error\ndata: {"error":{"message":"x","code":"invalid_api_key"}}\n\n',
    ),
    "no content": (204, b""),
    "payment": (402, b""),
    "forbidden": (403, b"<html><title>403 Forbidden</title></html>"),
    "wrong path": (404, b"404 page not found"),
    "wrong method": (405, {"detail": "Method Not Allowed"}),
    "gone": (410, b""),
    "wrong type": (415, b""),
    "not implemented": (501, b""),
    "moved": (301, b""),
    "elsewhere": (308, b""),
}
REFUSED: dict[str, tuple[int, Any]] = {
    "openai context": (400, openai_error("too long", "context_length_exceeded")),
    "vllm context": (
        400,
        openai_error("This model's maximum context length is 4096 tokens.", 400, "BadRequestError"),
    ),
    "llama.cpp context": (
        400,
        openai_error(
            "the request exceeds the available context size", 400, "exceed_context_size_error"
        ),
    ),
    "anthropic context": (400, openai_error("prompt is too long: 210000 tokens > 200000 maximum")),
    "azure filter": (
        400,
        {
            "error": {
                "message": "The response was filtered due to the prompt",
                "code": "content_filter",
                "innererror": {"code": "ResponsibleAIPolicyViolation"},
            }
        },
    ),
    "openrouter moderation": (
        403,
        {
            "error": {
                "code": 403,
                "message": "requires moderation",
                "metadata": {"reasons": ["hate"], "flagged_input": QUESTION},
            }
        },
    ),
    "dashscope filter": (400, openai_error("Input may be inappropriate", "data_inspection_failed")),
    "too large": (413, b""),
    "lm studio context": (
        400,
        {"error": "The number of tokens to keep is greater than the context length."},
    ),
    "tgi context": (
        422,
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096.",
            "error_type": "validation",
        },
    ),
    "litellm context": (
        400,
        {
            "error": {
                "message": "litellm.BadRequestError: This model's maximum context length is 8192.",
                "code": "400",
            }
        },
    ),
}
LIMITED: dict[str, tuple[int, Any]] = {
    "openai": (429, openai_error("Rate limit reached", "rate_limit_exceeded", "requests")),
    "groq": (413, openai_error("Request too large for model", "rate_limit_exceeded", "tokens")),
    "groq, type alone": (413, openai_error("Request too large for model", None, "tokens")),
    "gemini": (429, [{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota"}}]),
    "mistral": (429, {"message": "Requests rate limit exceeded"}),
    "400": (400, openai_error("slow down", "rate_limit_exceeded")),
    "bedrock": (400, {"message": "Too many requests, please wait before trying again."}),
    "a sentence in a stream": (0, {"error": "Rate limit exceeded"}),
}
UNAVAILABLE: dict[str, tuple[int, Any]] = {
    "500": (500, openai_error("The server had an error", None, "server_error")),
    "loading": (
        503,
        {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
    ),
    "anthropic": (529, {"error": {"type": "overloaded_error", "message": "Overloaded"}}),
    "a page": (502, b"<html><head><title>502 Bad Gateway</title></head></html>"),
    "nothing": (520, b""),
    "conflict": (409, b""),
    "says of a model in trouble": (503, {"message": "model not found in the cache yet"}),
}
UNEXPLAINED: dict[str, tuple[int, Any]] = {
    "400": (400, openai_error("Bad request")),
    "400 without a body": (400, b""),
    "422": (422, {"detail": [{"loc": ["body", "x"], "msg": "field required"}]}),
    "a parameter": (
        400,
        openai_error(
            "Unsupported parameter: 'a' is not supported with this model.", "unsupported_parameter"
        ),
    ),
    **{
        said: (400, openai_error(said))
        for said in (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use another.",
            "'temperature' does not support 0.2 with this model. Only the default is supported.",
            "For model m reasoning_effort 'none' is not valid",
            "The model does not support stream_options: field not found",
            "This model does not support chat_template_kwargs",
            "Unsupported model parameter: foo",
            "System role not supported",
            "Unrecognized request argument supplied: stream_options",
        )
    },
    "trouble by another's type": (400, openai_error("x", None, "api_error")),
    "a chat template": (500, {"error": {"message": "Jinja Exception: no system", "code": 500}}),
    "roles": (400, {"error": "Conversation roles must alternate user/assistant/user/assistant"}),
}


@pytest.mark.parametrize(("status", "body"), OWNERS.values(), ids=OWNERS)
def test_what_only_the_owner_can_mend(status: int, body: Any) -> None:
    failure = refuse(status, body)

    assert type(failure) is ModelMisconfigured
    assert failure.is_free


@pytest.mark.parametrize(("status", "body"), REFUSED.values(), ids=REFUSED)
def test_what_is_about_this_message(status: int, body: Any) -> None:
    failure = refuse(status, body)

    assert isinstance(failure, ModelRefused)
    assert (failure.is_explained, failure.is_free) == (True, True)


@pytest.mark.parametrize(("status", "body"), UNEXPLAINED.values(), ids=UNEXPLAINED)
def test_bad_request_that_nothing_explains(status: int, body: Any) -> None:
    failure = refuse(status, body)

    assert isinstance(failure, ModelRefused)
    assert (failure.is_explained, failure.is_free) == (False, True)


@pytest.mark.parametrize(("status", "body"), LIMITED.values(), ids=LIMITED)
def test_too_fast_at_any_status(status: int, body: Any) -> None:
    assert type(refuse(status, body)) is ModelRateLimited


@pytest.mark.parametrize(("status", "body"), UNAVAILABLE.values(), ids=UNAVAILABLE)
def test_trouble_of_the_provider(status: int, body: Any) -> None:
    assert type(refuse(status, body)) is ModelUnavailable


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"code": 429, "message": "Rate limit exceeded"}, ModelRateLimited),
        ({"code": "429", "message": "x"}, ModelRateLimited),
        ({"message": "x", "type": "rate_limit_error"}, ModelRateLimited),
        ({"code": 401, "message": "x"}, ModelMisconfigured),
        ({"code": 402, "message": "x"}, ModelMisconfigured),
        ({"code": 403, "message": "x"}, ModelMisconfigured),
        ({"code": 404, "message": "x"}, ModelMisconfigured),
        ({"code": "insufficient_quota"}, ModelMisconfigured),
        ({"code": 502, "message": "provider disconnected"}, ModelUnavailable),
        ({"message": "x", "type": "server_error"}, ModelUnavailable),
        ({"code": 408, "message": "x"}, ModelTimeout),
        ("overloaded", ModelUnavailable),
        ({}, ModelUnavailable),
        (True, ModelUnavailable),
        (7, ModelUnavailable),
    ],
)
def test_error_within_a_stream(told: Any, kind: type[ModelFailure]) -> None:
    assert type(failure_of(parse_error({"error": told}), HIDE)) is kind


def test_what_was_found_is_kept_for_who_asks_again() -> None:
    told = {
        "object": "error",
        "message": {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", "stream_options"],
                    "msg": "Extra inputs are not permitted",
                }
            ]
        },
    }

    assert read_error(422, json.dumps(told).encode()) == ProviderError(
        status=422,
        type="extra_forbidden",
        message="Extra inputs are not permitted",
        loc=("body", "stream_options"),
    )
    assert read_error(
        400,
        b'{"error":{"message":"Unsupported","type":"invalid_request_error","param":"max_tokens",'
        b'"code":"unsupported_parameter"}}',
    ) == ProviderError(
        400, "unsupported_parameter", "invalid_request_error", "", "max_tokens", "Unsupported"
    )


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (
            401,
            openai_error("Incorrect API key provided: sk-proj-abcd1234efgh", "invalid_api_key"),
            "401, invalid_api_key, invalid_request_error: Incorrect API key provided: …",
        ),
        (
            400,
            {
                "error": {
                    "message": f"Invalid 'messages[1].content': {QUESTION}",
                    "param": "messages",
                }
            },
            "400, param messages: Invalid 'messages[1].content': …?",
        ),
        (
            400,
            {"error": {"message": f"Invalid: {QUESTION.upper()!r}"}},
            "400: Invalid: '…?'",
        ),
        (
            400,
            {"error": {"message": "near '...blue\\nlamp that I b...'"}},
            "400: near…...'",
        ),
        (403, b"<html><title>Forbidden here</title><p>no</p></html>", "403: Forbidden here"),
        (404, b"<!doctype html><p>x</p>", "404"),
        (500, b"a-key-of-the-owner is\nwrong", "500: … is wrong"),
        (
            502,
            {
                "error": {
                    "message": "Provider returned error",
                    "code": 502,
                    "metadata": {"raw": "upstream is down", "provider_name": "X"},
                }
            },
            "502: Provider returned error | upstream is down",
        ),
    ],
)
def test_cause_for_the_owner(status: int, body: Any, cause: str) -> None:
    assert refuse(status, body).cause == cause


def test_target_of_a_redirect_is_named() -> None:
    failure = refuse(308, b"", "https://127.0.0.1:9311/v1/chat/completions")

    assert failure.cause == (
        "308, redirects to https://127.0.0.1:9311/v1/chat/completions: "
        "set OPENAI_BASE_URL to where that leads"
    )


def test_what_a_visitor_wrote_decides_nothing() -> None:
    said = "Incorrect API key provided, the model x does not exist"
    told = {"error": {"message": f"cannot read {said}"}}

    failure = failure_of(parse_error(told, 400), Redaction([f"Look: {said}!"]))

    assert isinstance(failure, ModelRefused)


@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["error", "message", "detail", "code", "type", "errors", "loc", "status"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    ),
    st.sampled_from([0, 200, 308, 400, 401, 429, 500]),
)
def test_any_error_is_named_within_bounds(told: Any, status: int) -> None:
    failure = failure_of(parse_error(told, status), HIDE)

    assert isinstance(failure, ModelFailure)
    assert len(failure.cause) <= 900
    assert failure.cause.isprintable()


def test_answer_that_came_as_an_error_is_told_to_nobody() -> None:
    said = b'data: {"choices":[{"delta":{"content":"Hello"}}]}\n\n'

    assert refuse(500, said * 3).cause == "500"


@pytest.mark.parametrize("words", ["model ", "model`", '"model', "api key ", "no ", "<title"])
def test_no_sentence_takes_long_to_understand(words: str) -> None:
    began = time.process_time()
    refuse(400, words.encode() * 100_000)
    failure_of(ProviderError(400, message=words * 600), HIDE)

    assert time.process_time() - began < 0.5


@settings(max_examples=200)
@given(st.binary(max_size=200), st.sampled_from([200, 400, 500]))
def test_any_body_is_read(body: bytes, status: int) -> None:
    assert isinstance(failure_of(read_error(status, body), HIDE), ModelFailure)


@settings(max_examples=200)
@given(st.text(min_size=12, max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_no_stretch_of_a_question_is_told(question: str, before: str, after: str) -> None:
    told = Redaction([question])(f"{before}{question}{after}")

    plain = "".join(char for char in question if char.isalnum())
    assert len(plain) < 12 or plain not in "".join(char for char in told if char.isalnum())


HARD = 'Where is my "blue" lamp? It\'s ünïque & 😀 <b>\nbroken</b>, İ straße 100%'
QUOTINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in capitals": str.upper,
    "as JSON": json.dumps,
    "as JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "as Python": ascii,
    "as bytes": lambda text: repr(text.encode()),
    "as HTML": html.escape,
    "in an address": quote,
    "in a form": quote_plus,
    "word by word": lambda text: str(text.split()),
}


@pytest.mark.parametrize("quoting", QUOTINGS.values(), ids=QUOTINGS)
def test_no_quoting_gets_a_question_past(quoting: Callable[[str], str]) -> None:
    told = Redaction([HARD])(f"bad: {quoting(HARD)}")

    assert not any(char.isalnum() for char in told.removeprefix("bad: ").removeprefix("b"))


def test_words_of_a_code_are_redacted_as_well() -> None:
    key = "a-key-of-the-owner"
    told = {"error": {"message": "x", "code": key, "param": key, "loc": [key]}}

    assert refuse(400, told).cause == "400, …, param …, at …: x"


def test_key_of_any_form_is_redacted_in_parts_as_well() -> None:
    hide = Redaction(secrets=["my-own-local-secret"])

    assert hide("no: my-own-local-secret!") == "no: …!"
    assert hide("no: my-own-lo!") == "no: …!"
    assert hide("no: local-secret!") == "no…!"
    assert hide("no: my-o****cret!") == "no: …!"


@pytest.mark.parametrize("secret", ["x", "no", "none"])
def test_key_that_is_none_hides_no_other_word(secret: str) -> None:
    assert Redaction(secrets=[secret])("max_tokens exceeded, nonetheless") == (
        "max_tokens exceeded, nonetheless"
    )


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-1234567890abcdef",
        "sk-ant-api03-abc_def-123456",
        "Bearer abc.def.ghi",
        "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "gsk_abcdef123456",
        "api_key=topsecret99",
        "key=topsecret",
        "api-key: topsecret",
        "Authorization: Bearer abcdef",
        'authorization":"Bearer abcdef',
        "eyJhbGciOi.eyJzdWIi.abc-def_123",
        "0123456789abcdef0123456789abcdef",
    ],
)
def test_keys_are_told_to_nobody(key: str) -> None:
    assert HIDE(f"the key {key} is wrong") == "the key … is wrong"


@pytest.mark.parametrize(
    "said",
    [
        "gpt-4.1-mini-2025-04-14 is not a valid model ID",
        "https://127.0.0.1:9311/v1/chat/completions",
        "Unsupported parameter: 'max_completion_tokens' is not supported with this model.",
    ],
)
def test_what_an_owner_needs_is_told(said: str) -> None:
    assert HIDE(said) == said


def test_retry_after_may_be_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)

    assert read_retry_after(later) == pytest.approx(60, abs=5)


@settings(max_examples=50)
@given(st.text() | st.from_regex(r"\w{3}, \d{1,2} \w{3} \d{1,5} \d\d:\d\d:\d\d [+-]\d{4,12}"))
def test_no_retry_after_breaks_us(told: str) -> None:
    seconds = read_retry_after(told)

    assert seconds is None or 0 <= seconds <= 3600


def test_sentence_is_hidden_where_not_all_that_was_said_is_known() -> None:
    hide = Redaction(["An earlier secret of mine", *["word " * 700] * 3])
    hide.keep_newest()

    assert hide("Invalid: an earlier secret of mine") == "…"
    assert hide("rate_limit_exceeded") == "rate_limit_exceeded"


def test_short_conversation_is_known_to_the_end() -> None:
    hide = Redaction(["An earlier secret of mine", "And what now?"])
    hide.keep_newest()

    assert hide("Invalid: An earlier secret of mine") == "Invalid: …"
