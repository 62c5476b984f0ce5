"""Answers and refusals as servers of many makes write them, and what comes of them."""

import json
from typing import Any

import pytest

from tests.live.eventually import eventually
from tests.servers.planted_server import PlantedServer
from tests.servers.upstream import Upstream

QUESTION = "Where is my blue lamp, and when will it come?"
MAX_OUTPUT_TOKENS = 800
EMPTY = "I could not generate a response right now."


def event(chunk: Any) -> str:
    return f"data: {chunk if isinstance(chunk, str) else json.dumps(chunk)}\n\n"


def word(content: Any) -> str:
    return event({"choices": [{"index": 0, "delta": {"content": content}}]})


def fin(reason: str, **more: Any) -> str:
    return event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], **more})


STOP, DONE = fin("stop"), event("[DONE]")
GZIP = {"Content-Encoding": "gzip"}
JSON = {"Content-Type": "application/json"}
SPENT = {
    "prompt_tokens": 50,
    "completion_tokens": 800,
    "completion_tokens_details": {"reasoning_tokens": 800},
}
COMPLETION = {
    "object": "chat.completion",
    "model": "m-1",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1},
}
TOOLS = {
    "tool_calls": [
        {"index": 0, "id": "c", "type": "function", "function": {"name": "x", "arguments": "{}"}}
    ]
}
NOTHING = "data:\n\ndata: \n\ndata: null\n\nevent: ping\ndata: ping\n\n"
THOUGHT = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]

# What a server sends → the promise: these words are the answer, for this reason.
WHOLE: list[tuple[str, str, dict[str, str], str, str | None]] = [
    ("its own word for an end", word("All.") + fin("end_turn") + DONE, {}, "All.", None),
    ("a word nobody knows", word("All.") + fin("something-new") + DONE, {}, "All.", None),
    ("a limit in capitals", word("Half") + fin("MAX_TOKENS") + DONE, {}, "Half", "length"),
    ("safety", word("Half") + fin("SAFETY") + DONE, {}, "Half", "content_filter"),
    ("done and no reason", word("All of it.") + DONE, {}, "All of it.", None),
    ("a stop and no word", STOP + DONE, {}, EMPTY, None),
    ("a number", word("It is $") + word(6) + word(" a month") + STOP, {}, "It is $6 a month", None),
    ("nought", word("It is $") + word(0) + STOP, {}, "It is $0", None),
    ("parts", word(THOUGHT) + word([{"type": "text", "text": "Hello"}]) + STOP, {}, "Hello", None),
    (
        "events of nothing",
        word("Hel") + NOTHING + word("lo") + STOP + DONE,
        {},
        "Hello",
        None,
    ),
    ("a byte order mark", "\ufeff" + word("Hello") + STOP + DONE, {}, "Hello", None),
    ("a document", json.dumps(COMPLETION), JSON, "Hello", None),
    ("gzip", word("Hel") + word("lo") + STOP + DONE, GZIP, "Hello", None),
    ("a document in gzip", json.dumps(COMPLETION), {**JSON, **GZIP}, "Hello", None),
    (
        "thoughts",
        word("<think>The user wants") + word(" a greeting.</think>\n\nHello!") + STOP + DONE,
        {},
        "Hello!",
        None,
    ),
    (
        "thoughts, cut",
        word("<th") + word("ink>hm") + word("</th") + word("ink>\n\nHel") + word("lo!") + STOP,
        {},
        "Hello!",
        None,
    ),
    (
        "a tag that it writes about",
        word("Use the <think> tag like this: `<think>x</think>`.") + STOP,
        {},
        "Use the <think> tag like this: `<think>x</think>`.",
        None,
    ),
]  # fmt: skip
# What a server sends → the promise: an error of this code, what was said is kept, and this cause.
BROKEN: list[tuple[str, str, dict[str, str], str, str, str]] = [
    (
        "an error beside a reason",
        word("Half an ans") + fin("error", error={"code": 502, "message": "provider disconnected"}),
        {},
        "model_unavailable",
        "Half an ans",
        "502: provider disconnected",
    ),
    (
        "an error in its choice",
        word("Half an ans")
        + event({"choices": [{"delta": {}, "finish_reason": "error", "error": {"code": 502}}]}),
        {},
        "model_unavailable",
        "Half an ans",
        "502",
    ),
    (
        "an error by no such name",
        word("Half") + event({"object": "error", "message": "no memory", "code": 500}) + DONE,
        {},
        "model_unavailable",
        "Half",
        "500: no memory",
    ),
    (
        "a limit in its stream",
        event({"error": {"code": 429, "message": "Rate limit exceeded"}}),
        {},
        "model_rate_limited",
        "",
        "429: Rate limit exceeded",
    ),
    (
        "a key in its stream",
        event({"error": {"code": 401, "message": "x"}}),
        {},
        "model_misconfigured",
        "",
        "401: x",
    ),
    (
        "nothing but reasoning",
        fin("length", usage=SPENT) + DONE,
        {},
        "model_interrupted",
        "",
        (
            "all 800 of MAX_OUTPUT_TOKENS went before the first word, 800 of them on reasoning: "
            "raise it, or let the model think less"
        ),
    ),
    (
        "tools alone",
        event({"choices": [{"index": 0, "delta": TOOLS}]}) + fin("tool_calls") + DONE,
        {},
        "model_interrupted",
        "",
        "the model ended with tool_calls and without a word",
    ),
    ("done alone", DONE, {}, "model_interrupted", "", "the answer ended without a reason"),
    (
        "an error in a document",
        json.dumps({"error": "Unexpected endpoint or method. (POST /chat/completions)"}),
        JSON,
        "model_misconfigured",
        "",
        (
            "answered 200 application/json, and says: Unexpected endpoint or method. "
            "(POST /chat/completions): does OPENAI_BASE_URL end in /v1?"
        ),
    ),
    (
        "a page",
        "<!doctype html><title>Sign in</title>",
        {"Content-Type": "text/html"},
        "model_misconfigured",
        "",
        "answered 200 text/html, not an event stream: does OPENAI_BASE_URL end in /v1?",
    ),
    (
        "nothing at all",
        "",
        {"Content-Type": "text/plain"},
        "model_misconfigured",
        "",
        "answered 200 text/plain, not an event stream: does OPENAI_BASE_URL end in /v1?",
    ),
]
# What a server refuses with → the promise: this code and this cause, asked once, and free.
REFUSED: list[tuple[str, int, Any, dict[str, str], str, str]] = [
    (
        "the key",
        401,
        {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}},
        {},
        "model_misconfigured",
        "401, invalid_api_key: Incorrect API key provided",
    ),
    (
        "the key, in a list, as 400",
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": "API key not valid. Please pass a valid API key.",
                    "status": "INVALID_ARGUMENT",
                    "details": [{"reason": "API_KEY_INVALID"}],
                }
            }
        ],
        {},
        "model_misconfigured",
        "400, INVALID_ARGUMENT: API key not valid. Please pass a valid API key.",
    ),
    (
        "the model's name",
        400,
        {"error": {"message": "Model Not Exist", "code": "invalid_request_error"}},
        {},
        "model_misconfigured",
        "400, invalid_request_error: Model Not Exist",
    ),
    (
        "and quotes the question",
        400,
        {"error": {"message": f"Invalid 'messages[1].content': {QUESTION}"}},
        {},
        "model_refused",
        "400: Invalid 'messages[1].content': …?",
    ),
    (
        "in another place",
        308,
        "",
        {"Location": "https://127.0.0.1:9311/v1/chat/completions"},
        "model_misconfigured",
        (
            "308, redirects to https://127.0.0.1:9311/v1/chat/completions: "
            "set OPENAI_BASE_URL to where that leads"
        ),
    ),
    (
        "too many tokens a minute, as 413",
        413,
        {
            "error": {
                "message": "Request too large",
                "type": "tokens",
                "code": "rate_limit_exceeded",
            }
        },
        {},
        "model_rate_limited",
        "413, rate_limit_exceeded, tokens: Request too large",
    ),
]


def charged(server: PlantedServer) -> int:
    """Return the tokens that all turns so far were charged with."""
    return int(server.admin("/v1/admin/stats").json["total"]["chargedTokens"])


def why(server: PlantedServer, request_id: str) -> str:
    """Return the cause that the one line of a failed turn has."""
    lines: list[dict[str, Any]] = []

    def is_logged() -> bool:
        lines[:] = [line for line in server.log_lines() if line.get("id") == request_id]
        return any(line.get("event") == "stream" for line in lines)

    eventually(is_logged)
    (line,) = [line for line in lines if line["level"] == "warning"]
    assert line["event"] == "stream"
    return str(line["cause"])


@pytest.mark.parametrize(
    ("claim", "body", "headers", "text", "reason"), WHOLE, ids=[row[0] for row in WHOLE]
)
def test_an_answer_in_any_words_for_it_is_one(
    brisk: PlantedServer,
    upstream: Upstream,
    claim: str,
    body: str,
    headers: dict[str, str],
    text: str,
    reason: str | None,
) -> None:
    upstream.script(body=body, headers=headers)

    with brisk.stream("Hi") as stream:
        start, *tokens, done = stream.events()

    assert (done["type"], done["message"], done.get("finishReason")) == ("done", text, reason)
    assert "".join(each["token"] for each in tokens).strip() in (text, "")
    answer = brisk.messages(start["conversationId"])[1]
    assert (answer["content"], answer["status"]) == (text, "complete")


@pytest.mark.parametrize(
    ("claim", "body", "headers", "code", "said", "cause"), BROKEN, ids=[row[0] for row in BROKEN]
)
def test_an_end_that_is_none_is_an_error_and_its_cause_is_told(
    brisk: PlantedServer,
    upstream: Upstream,
    claim: str,
    body: str,
    headers: dict[str, str],
    code: str,
    said: str,
    cause: str,
) -> None:
    upstream.script(body=body, headers=headers)

    with brisk.stream("Hi") as stream:
        request_id = stream.headers["X-Request-Id"]
        start, *_, error = stream.events()

    assert (error["type"], error["code"]) == ("error", code)
    assert why(brisk, request_id) == cause
    stored = brisk.said(start["conversationId"])
    assert stored == [("user", "Hi"), *([("assistant", said)] if said else [])]
    if said:
        assert brisk.messages(start["conversationId"])[1]["status"] == "partial"


@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/stream"])
@pytest.mark.parametrize(
    ("claim", "status", "told", "headers", "code", "cause"),
    REFUSED,
    ids=[row[0] for row in REFUSED],
)
def test_a_refusal_is_told_once_and_costs_nothing(
    brisk: PlantedServer,
    upstream: Upstream,
    path: str,
    claim: str,
    status: int,
    told: Any,
    headers: dict[str, str],
    code: str,
    cause: str,
) -> None:
    spent = charged(brisk)
    upstream.script(status=status, body=json.dumps(told) if told else "", headers=headers)

    if path == "/v1/chat":
        answer = brisk.chat(QUESTION)
        request_id, error = answer.headers["X-Request-Id"], answer.json
    else:
        with brisk.stream(QUESTION) as stream:
            request_id, error = stream.headers["X-Request-Id"], stream.events()[-1]

    assert error["code"] == code
    assert why(brisk, request_id) == cause
    assert len(upstream.requests) == 1
    assert charged(brisk) == spent
    assert QUESTION not in brisk.log()


@pytest.mark.parametrize(
    ("body", "tokens"),
    # One that thought to its limit is asked once more, and paid for twice.
    [
        (fin("length", usage=SPENT) + DONE, 2 * 850),
        (json.dumps(COMPLETION), 4),
        ("<html>", 0),
        ("", 0),
    ],
)
def test_what_was_generated_is_paid_for_and_nothing_else(
    brisk: PlantedServer, upstream: Upstream, body: str, tokens: int
) -> None:
    spent = charged(brisk)
    upstream.script(body=body)

    brisk.chat("Hi")

    assert charged(brisk) == spent + tokens


THOUGHT_TO_THE_LIMIT = word("\n\n") + fin("length", usage=SPENT) + DONE


def test_second_attempt_has_the_prompt_although_blanks_came(
    brisk: PlantedServer, upstream: Upstream
) -> None:
    upstream.next(body=THOUGHT_TO_THE_LIMIT)
    upstream.script(body=word("Hello") + STOP + DONE)

    answer = brisk.chat("Hi")

    assert answer.json["message"] == "Hello"
    assert [len(request.prompt) for request in upstream.requests] == [2, 2]


def test_model_that_cannot_but_think_is_asked_with_a_higher_limit(
    brisk: PlantedServer, upstream: Upstream
) -> None:
    told = [{"error": {"code": 400, "message": "Budget 0 is invalid. This only works thinking."}}]
    upstream.next(body=THOUGHT_TO_THE_LIMIT)
    upstream.next(status=400, body=json.dumps(told))
    upstream.script(body=word("Hello") + STOP + DONE)

    answer = brisk.chat("Hi")

    assert answer.json["message"] == "Hello"
    assert len(upstream.requests) == 3


def test_first_attempt_is_paid_for_once(brisk: PlantedServer, upstream: Upstream) -> None:
    spent = charged(brisk)
    upstream.next(body=THOUGHT_TO_THE_LIMIT)
    upstream.script(status=429, body=json.dumps({"error": {"code": "rate_limit_exceeded"}}))

    brisk.chat("Hi")

    assert charged(brisk) == spent + 850


@pytest.mark.parametrize(
    "body",
    [
        event({"choices": [{"delta": {"reasoning_content": "hm"}}]}) + word("Hi") + STOP + DONE,
        word("<think>hm</think>") + word("Hi") + STOP + DONE,
        word(THOUGHT) + word("Hi") + STOP,
        event({"choices": [{"delta": {"reasoning": "hm"}}]}) + STOP + DONE,
    ],
    ids=["beside the text", "in the text", "in parts", "alone"],
)
def test_thoughts_that_nobody_counted_cost_all_that_was_taken(
    brisk: PlantedServer, upstream: Upstream, body: str
) -> None:
    spent = charged(brisk)
    upstream.script(body=body)

    brisk.chat("Hi")

    assert charged(brisk) > spent + MAX_OUTPUT_TOKENS


def test_a_conversation_goes_on_after_a_failure_and_without_thoughts(
    brisk: PlantedServer, upstream: Upstream
) -> None:
    upstream.next(status=401, body='{"error":{"code":"invalid_api_key"}}')
    upstream.next(body=word("<think>hm</think>Hello!") + STOP)
    upstream.next(body=word("It goes on.\n</think>\n\nWell.") + STOP)

    for question in ("One?", "Two?", "Three?", "Four?"):
        brisk.chat(question, session="s-goes-on")

    assert [request.prompt[1:] for request in upstream.requests] == [
        [("user", "One?")],
        [("user", "One?\n\nTwo?")],
        [("user", "One?\n\nTwo?"), ("assistant", "Hello!"), ("user", "Three?")],
        [
            ("user", "One?\n\nTwo?"),
            ("assistant", "Hello!"),
            ("user", "Three?"),
            ("assistant", "Well."),
            ("user", "Four?"),
        ],
    ]


def test_what_only_the_owner_can_mend_is_shown_until_it_is_mended(
    brisk: PlantedServer, upstream: Upstream
) -> None:
    upstream.next(status=401, body='{"error":{"message":"No such key","code":"invalid_api_key"}}')
    brisk.chat(QUESTION)

    told = brisk.request("GET", "/ready").json
    brisk.chat("Hi")

    assert told["trouble"].startswith("The model's provider refuses")
    assert "No such key" not in json.dumps(told)
    assert "trouble" not in brisk.request("GET", "/ready").json


def test_five_refusals_that_nothing_explains_are_the_owners(upstream: Upstream) -> None:
    upstream.script(status=400, body='{"error":{"message":"Bad request"}}')
    with PlantedServer.over(upstream, BREAKER_FAILURES="3") as server:
        codes = [server.chat(f"Question {number}").json["code"] for number in range(9)]
        asked = len(upstream.requests)
        trouble = server.request("GET", "/ready").json["trouble"]

    assert codes == ["model_refused"] * 5 + ["model_misconfigured"] * 3 + ["model_paused"]
    assert asked == 8
    assert trouble


def test_a_refusal_between_does_not_hide_a_wrong_key(upstream: Upstream) -> None:
    key, odd = '{"error":{"code":"invalid_api_key"}}', '{"error":{"message":"x"}}'
    for status, body in [(401, key)] * 4 + [(400, odd), (401, key)]:
        upstream.next(status=status, body=body)
    with PlantedServer.over(upstream, BREAKER_FAILURES="5") as server:
        codes = [server.chat(f"Question {number}").json["code"] for number in range(7)]

    assert codes == [
        *["model_misconfigured"] * 4,
        "model_refused",
        "model_misconfigured",
        "model_paused",
    ]
