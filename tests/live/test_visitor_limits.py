"""The limits beside the original's: who is counted, and what a refused visitor is told."""

import contextlib

import pytest

from tests.live.eventually import eventually
from tests.live.exchange import Answer
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.upstream import Upstream

pytestmark = pytest.mark.sqlite  # no store counts visitors


def ask(server: Server, session: str = "s-1", client: str = "10.0.0.1", **body: object) -> Answer:
    asked = {"sessionId": session, "message": "Hi", **body}
    return server.request("POST", "/v1/chat", asked, x_api_key=WIDGET_KEY, x_ip=client)


def open_session(server: Server, client: str = "10.0.0.1") -> Answer:
    return server.request("POST", "/v1/session", {}, x_api_key=WIDGET_KEY, x_ip=client)


def limited(upstream: Upstream, **environment: str) -> Server:
    return Server.over(upstream, CLIENT_IP_HEADER="X-IP", **environment)


TOO_FAST = ("sending_too_fast", "You are sending messages very fast. Please wait a moment")
TOO_MANY = (
    "daily_limit_reached",
    "You have reached the limit for today. Please come back tomorrow",
)


@pytest.mark.parametrize(
    ("variable", "told", "longest_s", "other_session", "other_client"),
    [
        ("LIMIT_SESSION_PER_MINUTE", TOO_FAST, 60, 200, 429),
        ("LIMIT_SESSION_PER_DAY", TOO_MANY, 86_400, 200, 429),
        ("LIMIT_IP_PER_DAY", TOO_MANY, 86_400, 429, 200),
    ],
)
def test_limit_counts_for_whom_it_says_and_tells_until_when(
    upstream: Upstream,
    variable: str,
    told: tuple[str, str],
    longest_s: int,
    other_session: int,
    other_client: int,
) -> None:
    with limited(upstream, **{variable: "2"}) as server:
        statuses = [ask(server).status for _ in range(2)]
        refused = ask(server)
        others = [ask(server, session="s-2").status, ask(server, client="10.0.0.2").status]

    code, text = told
    assert (statuses, refused.status) == ([200, 200], 429)
    assert refused.json == {
        "error": text,
        "code": code,
        "requestId": refused.headers["X-Request-Id"],
    }
    assert longest_s - 30 <= int(refused.headers["Retry-After"]) <= longest_s
    assert others == [other_session, other_client]
    assert len(upstream.requests) == 3


def test_questions_that_cannot_be_asked_do_not_count(upstream: Upstream) -> None:
    with limited(upstream, LIMIT_SESSION_PER_MINUTE="1", LIMIT_IP_PER_DAY="1") as server:
        assert ask(server, message="").status == 400

        assert ask(server).status == 200


def test_new_sessions_of_an_address_are_limited(upstream: Upstream) -> None:
    with limited(upstream, LIMIT_NEW_SESSIONS_PER_HOUR="2") as server:
        opened = [open_session(server) for _ in range(2)]

        refused = open_session(server)

        other = open_session(server, client="10.0.0.2")
        renewed = server.request(
            "POST",
            "/v1/session",
            {"token": opened[0].json["token"]},
            x_api_key=WIDGET_KEY,
            x_ip="10.0.0.1",
        )

    assert [refused.status, other.status, renewed.status] == [429, 200, 200]
    assert refused.json["code"] == "too_many_sessions"
    assert 3570 <= int(refused.headers["Retry-After"]) <= 3600


def test_open_streams_of_an_address_are_limited(upstream: Upstream) -> None:
    upstream.script(tokens=5, fault="stall")
    with limited(upstream, MAX_STREAMS_PER_IP="2") as server, contextlib.ExitStack() as open_now:

        def stream(client: str, session: str) -> int:
            body = {"sessionId": session, "message": "Hi"}
            sent = server.send("POST", "/v1/chat/stream", body, x_api_key=WIDGET_KEY, x_ip=client)
            return open_now.enter_context(sent.begin()).status

        statuses = [stream("2001:db8::1", "s-1"), stream("2001:db8::2", "s-2")]
        refused = ask(server, session="s-3", client="2001:db8::3")
        other = stream("2001:db8:0:1::1", "s-4")
        upstream.wait_for_request(3)
        upstream.release()
        open_now.close()
        upstream.script(tokens=1)
        eventually(lambda: ask(server, session="s-5", client="2001:db8::3").status == 200)

    assert [*statuses, other] == [200, 200, 200]
    assert (refused.status, refused.json["code"]) == (503, "overloaded")
    assert int(refused.headers["Retry-After"]) >= 1


def test_full_worker_answers_at_once(upstream: Upstream) -> None:
    upstream.script(tokens=5, fault="stall")
    with limited(upstream, MAX_STREAMS="1") as server, server.stream("Hi"):
        refused = ask(server, session="s-2")
        health = server.request("GET", "/health")

    assert (refused.status, refused.json["code"]) == (503, "overloaded")
    assert int(refused.headers["Retry-After"]) >= 1
    assert (refused.took_s < 1, health.status) == (True, 200)
