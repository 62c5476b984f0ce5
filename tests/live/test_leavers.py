"""Visitors who leave: the model is stopped within a second, and what was said is kept."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.live.eventually import eventually
from tests.live.exchange import Exchange
from tests.servers.perch import Server
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import WORDS

WITHIN_S = 1.0

ENDS: dict[str, Callable[[Exchange], None]] = {"FIN": Exchange.leave, "RST": Exchange.reset}
SILENCES: dict[str, dict[str, Any]] = {
    "before the headers": {"fault": "hang"},
    "in the headers": {"fault": "hang_headers"},
    "before the first token": {"fault": "hang_body"},
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("script", SILENCES.values(), ids=SILENCES)
def test_leaving_before_the_first_token_stops_the_model(
    server: Server, upstream: Upstream, script: dict[str, Any], end: Callable[[Exchange], None]
) -> None:
    upstream.script(**script)
    stream = server.stream("Hi")
    conversation = stream.next_event()["conversationId"]
    request = upstream.wait_for_request()

    end(stream)

    assert request.left(within_s=WITHIN_S)
    assert server.said(conversation) == [("user", "Hi")]


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_leaving_while_the_model_is_silent_keeps_what_was_said(
    server: Server, upstream: Upstream, end: Callable[[Exchange], None]
) -> None:
    upstream.script(fault="stall", at=2)
    stream = server.stream("Hi")
    conversation = stream.next_event()["conversationId"]
    assert [stream.next_event()["token"] for _ in range(2)] == list(WORDS[:2])

    end(stream)

    assert upstream.wait_for_request().left(within_s=WITHIN_S)
    answer = eventually(lambda: server.messages(conversation)[1:])[0]
    assert (answer["content"], answer["status"]) == ("".join(WORDS[:2]), "partial")


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_leaving_mid_stream_keeps_what_was_said(
    server: Server, upstream: Upstream, end: Callable[[Exchange], None]
) -> None:
    upstream.script(tokens=["word "] * 10_000, gap_ms=10)
    stream = server.stream("Hi")
    conversation = stream.next_event()["conversationId"]
    for _ in range(5):
        stream.next_event()

    end(stream)

    request = upstream.wait_for_request()
    assert request.left(within_s=WITHIN_S)
    answer = eventually(lambda: server.messages(conversation)[1:])[0]
    said = answer["content"].split(" ")
    assert 5 <= len(said) <= len(request.token_times)
    assert set(said) == {"word"}
    assert answer["status"] == "partial"


def test_leaving_while_the_whole_answer_is_awaited_stops_the_model(
    server: Server, upstream: Upstream
) -> None:
    upstream.script(fault="stall", at=2)
    body = {"sessionId": "s-whole", "message": "Hi"}
    waiting = server.send("POST", "/v1/chat", body, x_api_key=server.environment["WIDGET_API_KEY"])
    request = upstream.wait_for_request()
    upstream.wait_for_token(request, 2)

    waiting.leave()

    assert request.left(within_s=WITHIN_S)


def test_one_who_left_can_ask_again_at_once(server: Server, upstream: Upstream) -> None:
    upstream.next(fault="stall", at=2)
    stream = server.stream("First", session="s-again")
    stream.until("token")
    stream.leave()

    answer = server.chat("Second", session="s-again")

    assert answer.status == 200
    assert answer.took_s < WITHIN_S
    said = server.said(answer.json["conversationId"])
    assert [content for role, content in said if role == "user"] == ["First", "Second"]


def test_other_streams_do_not_notice(server: Server, upstream: Upstream) -> None:
    upstream.script(tokens=4, fault="stall", at=2)
    leaver, stayer = server.stream("Hi"), server.stream("Hi")
    for stream in (leaver, stayer):
        stream.until("token")

    leaver.leave()
    eventually(lambda: upstream.open_requests == 1)
    upstream.release()

    assert [event["type"] for event in stayer.events()] == ["token", "token", "token", "done"]


def test_a_visitor_who_stops_reading_does_not_stop_others(
    server: Server, upstream: Upstream
) -> None:
    upstream.next(tokens=["x" * 1000] * 20_000)
    deaf = server.stream("Hi")

    upstream.script(tokens=3)
    answers = [server.chat("Hi") for _ in range(5)]
    deaf.leave()

    assert [answer.status for answer in answers] == [200] * 5
    assert max(answer.took_s for answer in answers) < WITHIN_S
    assert upstream.requests[0].left(within_s=WITHIN_S)
