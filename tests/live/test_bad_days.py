"""The model or the store in trouble: a documented error in time, and nothing lost."""

import itertools
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.server import Server
from tests.upstream import Upstream, black_hole_url, refused_url
from tests.upstream_script import WORDS, words

DEADLINES = {
    "MODEL_CONNECT_TIMEOUT_S": "0.4",
    "MODEL_READ_TIMEOUT_S": "0.5",
    "TURN_TIMEOUT_S": "3",
    "STORAGE_TIMEOUT_S": "0.5",
}
IN_TIME_S = 4.0

TEXTS = {
    "model_unavailable": "The assistant is not available right now",
    "model_timeout": "The assistant took too long to answer",
    "model_rate_limited": "The assistant is very busy right now",
    "model_misconfigured": "The assistant is not set up correctly",
    "model_refused": "The assistant cannot answer this message",
    "model_interrupted": "The answer was interrupted",
}
# How the model fails before it speaks → the code of the error.
SILENT: list[tuple[str, dict[str, Any], str]] = [
    ("hangs", {"fault": "hang"}, "model_timeout"),
    ("hangs in its headers", {"fault": "hang_headers"}, "model_timeout"),
    ("hangs behind its headers", {"fault": "hang_body"}, "model_timeout"),
    ("hangs behind its first chunk", {"fault": "stall", "at": 0}, "model_timeout"),
    ("ends at once", {"fault": "end", "at": 0}, "model_interrupted"),
    ("says done and nothing else", {"fault": "done", "at": 0}, "model_interrupted"),
    ("cuts at once", {"fault": "cut", "at": 0}, "model_interrupted"),
    ("resets at once", {"fault": "reset", "at": 0}, "model_interrupted"),
    ("is a proxy's page", {"fault": "html"}, "model_interrupted"),
    ("is not HTTP", {"fault": "garbage"}, "model_unavailable"),
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
    ("reports an error", {"fault": "error_event", "at": 0}, "model_unavailable"),
]
# How it fails after two tokens.
BROKEN: list[tuple[str, str, str]] = [
    ("falls silent", "stall", "model_timeout"),
    ("cuts", "cut", "model_interrupted"),
    ("resets", "reset", "model_interrupted"),
    ("ends without a reason", "end", "model_interrupted"),
    ("says done without a reason", "done", "model_interrupted"),
    ("corrupts its JSON", "json", "model_interrupted"),
    ("corrupts its UTF-8", "utf8", "model_interrupted"),
    ("reports an error", "error_event", "model_unavailable"),
]


@pytest.fixture(scope="module")
def brisk(session_upstream: Upstream) -> Iterator[Server]:
    with Server.over(session_upstream, **DEADLINES) as server:
        yield server


@pytest.mark.parametrize(("claim", "script", "code"), SILENT, ids=[row[0] for row in SILENT])
def test_a_model_that_fails_before_it_speaks_is_an_error_line(
    brisk: Server, upstream: Upstream, claim: str, script: dict[str, Any], code: str
) -> None:
    upstream.script(**script)
    began = time.monotonic()

    with brisk.stream("Hi") as stream:
        start, *middle, error = stream.events()

    assert middle == []
    assert (start["type"], error["type"]) == ("start", "error")
    assert (error["code"], error["error"]) == (code, TEXTS[code])
    assert time.monotonic() - began < IN_TIME_S
    assert brisk.said(start["conversationId"]) == [("user", "Hi")]


@pytest.mark.parametrize(("claim", "fault", "code"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_model_that_breaks_off_keeps_what_was_said(
    brisk: Server, upstream: Upstream, claim: str, fault: str, code: str
) -> None:
    upstream.script(tokens=5, gap_ms=20, fault=fault, at=2)

    with brisk.stream("Hi") as stream:
        events = stream.events()

    assert [event["type"] for event in events] == ["start", "token", "token", "error"]
    assert (events[-1]["code"], events[-1]["error"]) == (code, TEXTS[code])
    question, answer = brisk.messages(events[0]["conversationId"])
    assert question["content"] == "Hi"
    assert (answer["content"], answer["status"]) == ("".join(WORDS[:2]), "partial")


def test_the_whole_answer_fails_with_a_status(brisk: Server, upstream: Upstream) -> None:
    upstream.script(status=429, headers={"Retry-After": "7"})

    answer = brisk.chat("Hi")

    assert answer.status == 502
    assert answer.json == {
        "error": "The assistant is very busy right now",
        "code": "model_rate_limited",
        "requestId": answer.headers["X-Request-Id"],
    }
    assert answer.headers["Retry-After"] == "7"


def test_no_error_of_the_model_reaches_a_visitor_or_the_log(
    brisk: Server, upstream: Upstream
) -> None:
    upstream.script(status=500)

    answer = brisk.chat("A very private question")

    assert b"sk-" not in answer.body
    assert "A very private question" not in brisk.log()
    assert brisk.environment["OPENAI_API_KEY"] not in brisk.log()


@pytest.mark.parametrize("script", [{"fault": "long_line"}, {"fault": "flood"}], ids=str)
def test_a_model_that_says_too_much_is_relayed(
    brisk: Server, upstream: Upstream, script: dict[str, Any]
) -> None:
    upstream.script(tokens=3, **script)

    with brisk.stream("Hi") as stream:
        events = stream.events()

    assert events[-1]["type"] == "done"
    text = "".join(event["token"] for event in events if event["type"] == "token")
    assert len(text) > 1_000_000


def test_a_model_that_never_ends_meets_the_deadline(brisk: Server, upstream: Upstream) -> None:
    upstream.script(tokens=["drip "] * 1_000, gap_ms=100)

    with brisk.stream("Hi") as stream:
        events = stream.events()

    assert events[-1]["code"] == "model_timeout"
    assert upstream.wait_for_request().left(within_s=1)
    assert brisk.messages(events[0]["conversationId"])[1]["status"] == "partial"


@pytest.mark.parametrize("nowhere", [refused_url, black_hole_url])
def test_a_model_that_is_not_there_is_an_error_in_time(nowhere: Any) -> None:
    with nowhere() as url:
        keys = {"OPENAI_API_KEY": "sk-of-the-live-tests", "OPENAI_BASE_URL": url}
        with Server(**keys, **DEADLINES) as server:
            answer = server.chat("Hi")

    assert answer.status == 502
    assert answer.json["code"] in ("model_unavailable", "model_timeout")
    assert answer.took_s < IN_TIME_S


def test_a_broken_turn_sent_again_is_answered_in_its_place(
    brisk: Server, upstream: Upstream
) -> None:
    upstream.next(tokens=5, gap_ms=20, fault="cut", at=2)
    brisk.stream("Hi", session="s-mend", turnId="turn-0001").events()
    upstream.script(tokens=4)

    answer = brisk.chat("Hi", session="s-mend", turnId="turn-0001")

    assert brisk.said(answer.json["conversationId"]) == [("user", "Hi"), ("assistant", words(4))]


def test_a_locked_store_is_503_in_time_and_streams_go_on(upstream: Upstream) -> None:
    upstream.script(tokens=200, gap_ms=20)
    with Server.over(upstream, **DEADLINES) as server:
        other = server.stream("Hi")
        other.until("token")
        lock = sqlite3.connect(server.environment["SQLITE_PATH"], isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")

        answer = server.chat("Hello")
        more = [other.next_line() for _ in range(20)]
        lock.execute("ROLLBACK")
        lock.close()
        after = server.chat('Hello [[upstream {"tokens": 2}]]')
        other.leave()

    assert answer.status == 503
    assert answer.json["code"] == "storage_unavailable"
    assert answer.took_s < IN_TIME_S
    gaps = [b.came_at - a.came_at for a, b in itertools.pairwise(more)]
    assert max(gaps) < 0.5
    assert after.status == 200


def test_an_answer_that_finds_its_store_locked_is_an_error_line(upstream: Upstream) -> None:
    upstream.script(tokens=3, fault="stall", at=2)
    with Server.over(upstream, **DEADLINES) as server:
        stream = server.stream("Hi")
        conversation = stream.next_event()["conversationId"]
        stream.until("token")
        lock = sqlite3.connect(server.environment["SQLITE_PATH"], isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")

        upstream.release()
        last = stream.events()[-1]
        lock.execute("ROLLBACK")
        lock.close()
        said = server.said(conversation)

    assert (last["type"], last["code"]) == ("error", "storage_unavailable")
    assert said[0] == ("user", "Hi")


def test_a_full_server_refuses_and_health_still_answers(upstream: Upstream) -> None:
    upstream.script(fault="stall", at=1)
    with Server.over(upstream, MAX_STREAMS="3") as server:
        streams = [server.stream("Hi") for _ in range(3)]
        for stream in streams:
            stream.until("token")

        answer = server.chat("One more")
        health = server.request("GET", "/health")
        for stream in streams:
            stream.leave()

    assert (answer.status, answer.json["code"]) == (503, "overloaded")
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.took_s < 1
    assert health.json == {"status": "ok"}
