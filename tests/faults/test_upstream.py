"""The model in trouble: a documented error in time, what was said is kept, nobody else notices."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.conftest import DEADLINES, Elsewhere
from tests.servers.planted_server import PlantedServer
from tests.servers.upstream import Upstream, black_hole_url, refused_url
from tests.servers.upstream_script import WORDS, words

# The longest way to an error: two tries of the read timeout, a pause, a busy machine.
IN_TIME_S = 3.0
MAX_ANSWER_CHARS = 200_000
SAID = "".join(WORDS[:2])

TEXTS = {
    "model_unavailable": "The assistant is not available right now",
    "model_timeout": "The assistant took too long to answer",
    "model_rate_limited": "The assistant is very busy right now",
    "model_misconfigured": "The assistant is not set up correctly",
    "model_refused": "The assistant cannot answer this message",
    "model_interrupted": "The answer was interrupted",
}
# Failures before the first word → the promise: this code, and the question is kept.
SILENT: list[tuple[str, dict[str, Any], str]] = [
    ("hangs", {"fault": "hang"}, "model_timeout"),
    ("hangs in its headers", {"fault": "hang_headers"}, "model_timeout"),
    ("hangs behind its headers", {"fault": "hang_body"}, "model_timeout"),
    ("hangs behind its first chunk", {"fault": "stall", "at": 0}, "model_timeout"),
    ("answers after the deadline", {"head_ms": 2000}, "model_timeout"),
    ("ends at once", {"fault": "end", "at": 0}, "model_interrupted"),
    ("says done and nothing else", {"fault": "done", "at": 0}, "model_interrupted"),
    ("cuts at once", {"fault": "cut", "at": 0}, "model_interrupted"),
    ("resets at once", {"fault": "reset", "at": 0}, "model_interrupted"),
    ("is a proxy's page", {"fault": "html"}, "model_misconfigured"),
    ("says nothing for all of its limit", {"tokens": 0, "finish": "length"}, "model_interrupted"),
    ("wants tools and says nothing", {"tokens": 0, "finish": "tool_calls"}, "model_interrupted"),
    ("ends in an error", {"tokens": 0, "finish": "error"}, "model_unavailable"),
    ("is not HTTP", {"fault": "garbage"}, "model_unavailable"),
    ("says nothing that is JSON", {"fault": "json", "at": 0}, "model_interrupted"),
    ("says nothing that is UTF-8", {"fault": "utf8", "at": 0}, "model_interrupted"),
    ("reports an error", {"fault": "error_event", "at": 0}, "model_unavailable"),
    ("knows no such key", {"status": 401}, "model_misconfigured"),
    ("wants money", {"status": 402}, "model_misconfigured"),
    ("is forbidden", {"status": 403}, "model_misconfigured"),
    ("knows no such model", {"status": 404}, "model_misconfigured"),
    ("has no quota", {"status": 429, "code": "insufficient_quota"}, "model_misconfigured"),
    ("is busy", {"status": 429}, "model_rate_limited"),
    ("refuses the prompt", {"status": 400}, "model_refused"),
    ("cannot process it", {"status": 422}, "model_refused"),
    ("is broken", {"status": 500}, "model_unavailable"),
    ("is behind a broken gateway", {"status": 502}, "model_unavailable"),
    ("is overloaded", {"status": 503}, "model_unavailable"),
    ("is slow behind its gateway", {"status": 504}, "model_unavailable"),
    ("answers with a redirect", {"status": 302}, "model_misconfigured"),
    ("does not implement it", {"status": 501}, "model_misconfigured"),
]
# Failures after two tokens → the promise: this code, and both are kept, marked as partial.
BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("falls silent", {"fault": "stall"}, "model_timeout"),
    ("cuts", {"fault": "cut"}, "model_interrupted"),
    ("resets", {"fault": "reset"}, "model_interrupted"),
    ("ends without a reason", {"fault": "end"}, "model_interrupted"),
    ("corrupts its JSON", {"fault": "json"}, "model_interrupted"),
    ("corrupts its UTF-8", {"fault": "utf8"}, "model_interrupted"),
    ("reports an error", {"fault": "error_event"}, "model_unavailable"),
    ("cuts, byte by byte", {"fault": "cut", "split": 1}, "model_interrupted"),
]
# Strange answers → the promise: done, with every character, up to the limit of an answer.
STRANGE: list[tuple[str, dict[str, Any], int]] = [
    ("says done without a reason", {"tokens": 5, "fault": "done", "at": 2}, len(SAID)),
    ("one byte a read", {"tokens": 12, "split": 1}, len(words(12))),
    ("a line of 1 MB", {"tokens": 3, "fault": "long_line"}, MAX_ANSWER_CHARS),
    ("10 MB as fast as it goes", {"tokens": 3, "fault": "flood"}, MAX_ANSWER_CHARS),
    ("a reason that we do not know", {"tokens": 3, "finish": "because"}, len(words(3))),
    ("tools that nobody asked for", {"tokens": 3, "finish": "tool_calls"}, len(words(3))),
    ("a function of the old kind", {"tokens": 3, "finish": "function_call"}, len(words(3))),
    ("5,000 tokens in one write", {"tokens": 5000, "batch": 6000}, len(words(5000))),
]
# What the provider asks → the promise: what the visitor's program is told, in whole seconds.
WAITS: list[tuple[str, str | None]] = [
    ("7", "7"),
    ("0.2", "1"),
    ("0", "1"),
    ("-5", "1"),
    ("999999", "3600"),
    ("soon", None),
    ("", None),
    ("nan", None),
    ("inf", "3600"),
    ("Thu, 01 Jan 2026 00:00:00 GMT", "1"),
]


@pytest.mark.parametrize(("claim", "script", "code"), SILENT, ids=[row[0] for row in SILENT])
def test_a_model_that_fails_before_it_speaks_is_an_error_line(
    brisk: PlantedServer,
    upstream: Upstream,
    elsewhere: Elsewhere,
    claim: str,
    script: dict[str, Any],
    code: str,
) -> None:
    upstream.script(**script)

    with elsewhere(brisk):
        began = time.monotonic()
        with brisk.stream("Hi") as stream:
            start, *middle, error = stream.events()
        took_s = time.monotonic() - began

    assert middle == []
    assert (start["type"], error["type"]) == ("start", "error")
    assert (error["code"], error["error"]) == (code, TEXTS[code])
    assert took_s < IN_TIME_S
    assert brisk.said(start["conversationId"]) == [("user", "Hi")]


@pytest.mark.parametrize(("claim", "script", "code"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_model_that_breaks_off_keeps_what_was_said(
    brisk: PlantedServer,
    upstream: Upstream,
    elsewhere: Elsewhere,
    claim: str,
    script: dict[str, Any],
    code: str,
) -> None:
    upstream.script(tokens=5, gap_ms=20, at=2, **script)

    with elsewhere(brisk), brisk.stream("Hi") as stream:
        events = stream.events()

    assert [event["type"] for event in events] == ["start", "token", "token", "error"]
    assert (events[-1]["code"], events[-1]["error"]) == (code, TEXTS[code])
    question, answer = brisk.messages(events[0]["conversationId"])
    assert question["content"] == "Hi"
    assert (answer["content"], answer["status"]) == (SAID, "partial")


@pytest.mark.parametrize(("claim", "script", "least"), STRANGE, ids=[row[0] for row in STRANGE])
def test_a_strange_answer_is_relayed(
    brisk: PlantedServer,
    upstream: Upstream,
    elsewhere: Elsewhere,
    claim: str,
    script: dict[str, Any],
    least: int,
) -> None:
    upstream.script(**script)

    with elsewhere(brisk), brisk.stream("Hi") as stream:
        events = stream.events()

    text = "".join(event["token"] for event in events if event["type"] == "token")
    assert (events[-1]["type"], events[-1]["message"]) == ("done", text.strip())
    assert len(text) >= least
    assert len(text) <= MAX_ANSWER_CHARS


@pytest.mark.parametrize(("asked", "told"), WAITS, ids=[repr(row[0]) for row in WAITS])
def test_a_provider_that_asks_to_wait_is_passed_on(
    brisk: PlantedServer, upstream: Upstream, asked: str, told: str | None
) -> None:
    upstream.script(status=429, headers={"Retry-After": asked})

    answer = brisk.chat("Hi")

    assert (answer.status, answer.json["code"]) == (502, "model_rate_limited")
    assert answer.headers["Retry-After"] == told


@pytest.mark.parametrize("nowhere", [refused_url, black_hole_url])
def test_a_model_that_is_not_there_is_an_error_in_time(nowhere: Callable[[], Any]) -> None:
    with nowhere() as url:
        keys = {"OPENAI_API_KEY": "sk-of-the-live-tests", "OPENAI_BASE_URL": url}
        with PlantedServer(**keys, **DEADLINES) as server:
            server.warm_up()
            answer = server.chat("Hi")
            server.settle()

    assert answer.status == 502
    assert answer.json["code"] in ("model_unavailable", "model_timeout")
    assert answer.took_s < IN_TIME_S


def test_a_model_that_never_ends_meets_the_deadline(upstream: Upstream) -> None:
    with PlantedServer.over(upstream, TURN_TIMEOUT_S="1") as server:
        server.warm_up()
        upstream.script(tokens=["drip "] * 1_000, gap_ms=100)

        with server.stream("Hi") as stream:
            began = time.monotonic()
            events = stream.events()
            took_s = time.monotonic() - began
        server.settle()
        stored = server.messages(events[0]["conversationId"])

    assert events[-1]["code"] == "model_timeout"
    assert took_s < 2
    assert upstream.requests[-1].left(within_s=1)
    assert stored[1]["status"] == "partial"


def test_no_error_of_the_model_reaches_a_visitor_or_the_log(
    brisk: PlantedServer, upstream: Upstream
) -> None:
    upstream.script(status=500)

    answer = brisk.chat("A very private question")

    assert b"Scripted" not in answer.body
    (line,) = [
        each
        for each in brisk.log_lines()
        if each.get("id") == answer.headers["X-Request-Id"] and each.get("event") == "stream"
    ]
    assert (line["level"], line["cause"]) == ("warning", "500, scripted: Scripted by the test: …")
    assert "sk-" not in brisk.log()
    assert "A very private question" not in brisk.log()
    assert brisk.environment["OPENAI_API_KEY"] not in brisk.log()


def test_a_broken_turn_sent_again_is_answered_in_its_place(
    brisk: PlantedServer, upstream: Upstream
) -> None:
    upstream.next(tokens=5, gap_ms=20, fault="cut", at=2)
    brisk.stream("Hi", session="s-mend", turnId="turn-0001").events()
    upstream.script(tokens=4)

    answer = brisk.chat("Hi", session="s-mend", turnId="turn-0001")

    assert brisk.said(answer.json["conversationId"]) == [("user", "Hi"), ("assistant", words(4))]
