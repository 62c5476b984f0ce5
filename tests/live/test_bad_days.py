"""The store in trouble, the server full, the model failing a whole answer: errors in time."""

import itertools
import sqlite3
from collections.abc import Iterator

import pytest

from tests.live.server import Server
from tests.upstream import Upstream
from tests.upstream_script import words

DEADLINES = {
    "MODEL_CONNECT_TIMEOUT_S": "0.4",
    "MODEL_READ_TIMEOUT_S": "0.5",
    "TURN_TIMEOUT_S": "3",
    "STORAGE_TIMEOUT_S": "0.5",
}
IN_TIME_S = 4.0


@pytest.fixture(scope="module")
def brisk(session_upstream: Upstream) -> Iterator[Server]:
    with Server.over(session_upstream, **DEADLINES) as server:
        yield server


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


def test_a_broken_turn_sent_again_is_answered_in_its_place(
    brisk: Server, upstream: Upstream
) -> None:
    upstream.next(tokens=5, gap_ms=20, fault="cut", at=2)
    brisk.stream("Hi", session="s-mend", turnId="turn-0001").events()
    upstream.script(tokens=4)

    answer = brisk.chat("Hi", session="s-mend", turnId="turn-0001")

    assert brisk.said(answer.json["conversationId"]) == [("user", "Hi"), ("assistant", words(4))]


@pytest.mark.sqlite
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


@pytest.mark.sqlite
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
