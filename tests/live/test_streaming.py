"""What a visitor sees while the model speaks, from the real server over a real socket."""

import json
from typing import Any

import pytest

from tests.live.exchange import Exchange, Line, request_bytes
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import MODEL, WORDS, words

STREAMS = ("/v1/chat/stream", "/chat")


def tokens(lines: list[Line]) -> list[str]:
    return [line.event["token"] for line in lines if line.event and line.type == "token"]


@pytest.mark.parametrize("path", STREAMS)
def test_stream_is_start_then_tokens_then_done(
    server: Server, upstream: Upstream, path: str
) -> None:
    upstream.script(tokens=4, gap_ms=20)

    with server.stream("Hi", path=path, turnId="turn-0001") as stream:
        events = stream.events()

    where = {"conversationId": events[0]["conversationId"], "turnId": "turn-0001"}
    question, answer = server.messages(where["conversationId"])
    assert events == [
        {"type": "start", **where},
        *({"type": "token", "token": word} for word in WORDS[:4]),
        {"type": "done", "message": words(4), **where, "messageId": answer["_id"]},
    ]
    assert (question["role"], question["content"]) == ("user", "Hi")
    assert (answer["role"], answer["content"]) == ("assistant", words(4))


@pytest.mark.parametrize("path", STREAMS)
def test_stream_has_its_headers(server: Server, path: str) -> None:
    with server.stream("Hi", path=path) as stream:
        assert stream.status == 200
        assert stream.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
        assert stream.headers["Cache-Control"] == "no-store, no-transform"
        assert stream.headers["X-Accel-Buffering"] == "no"
        assert stream.headers["X-Request-Id"]
        assert stream.events()[-1]["type"] == "done"


def test_tokens_come_while_the_model_still_speaks(server: Server, upstream: Upstream) -> None:
    upstream.script(tokens=5, fault="stall", at=2)

    with server.stream("Hi") as stream:
        first = [stream.next_event() for _ in range(3)]
        assert upstream.open_requests == 1
        upstream.release()
        rest = stream.events()

    assert [event["type"] for event in first] == ["start", "token", "token"]
    assert [event["type"] for event in rest] == ["token", "token", "token", "done"]


def test_start_comes_before_the_model_answers(server: Server, upstream: Upstream) -> None:
    upstream.script(fault="hang")

    with server.stream("Hi") as stream:
        assert stream.next_event()["type"] == "start"

        assert upstream.wait_for_request().token_times == []


def test_tokens_arrive_as_the_upstream_sends_them(server: Server, upstream: Upstream) -> None:
    upstream.script(tokens=20, gap_ms=50)

    with server.stream("Hi") as stream:
        lines = list(stream.lines())

    came = [line.came_at for line in lines if line.type == "token"]
    sent = upstream.wait_for_request().token_times
    assert len(came) == len(sent) == 20
    late = sorted(after - before for before, after in zip(sent, came, strict=True))
    assert late[len(late) // 2] < 0.03
    assert late[-1] < 0.5


SPLITS: list[dict[str, Any]] = [
    {"split": 1},
    {"split": 3},
    {"split": 7, "newline": "\r\n"},
    {"split": 64, "comments": True},
    {"batch": 5},
    {"batch": 100, "newline": "\r\n", "comments": True},
]


@pytest.mark.parametrize("script", SPLITS, ids=json.dumps)
def test_every_character_survives_any_split(
    server: Server, upstream: Upstream, script: dict[str, Any]
) -> None:
    upstream.script(tokens=len(WORDS), **script)

    with server.stream("Hi") as stream:
        lines = list(stream.lines())

    assert tokens(lines) == list(WORDS)
    assert lines[-1].event is not None
    assert lines[-1].event["message"] == words(len(WORDS))


def test_a_long_answer_arrives_whole(server: Server, upstream: Upstream) -> None:
    upstream.script(tokens=5_000)

    with server.stream("Hi") as stream:
        lines = list(stream.lines())

    assert "".join(tokens(lines)).strip() == words(5_000)
    assert lines[-1].type == "done"


def test_chat_answers_with_the_whole_message(server: Server, upstream: Upstream) -> None:
    upstream.script(tokens=4)

    answer = server.chat("Hi", turnId="turn-0001")

    conversation = answer.json["conversationId"]
    assert answer.status == 200
    assert answer.json == {
        "conversationId": conversation,
        "turnId": "turn-0001",
        "messageId": server.messages(conversation)[1]["_id"],
        "message": words(4),
    }
    assert server.said(conversation) == [("user", "Hi"), ("assistant", words(4))]


def test_the_model_is_told_what_was_said_before(server: Server, upstream: Upstream) -> None:
    upstream.script(tokens=3)
    server.chat("My name is Ada", session="s-history")

    server.chat("What is my name?", session="s-history")

    prompt = upstream.wait_for_request(2).prompt
    assert prompt[0][0] == "system"
    assert prompt[1:] == [
        ("user", "My name is Ada"),
        ("assistant", words(3)),
        ("user", "What is my name?"),
    ]


def test_an_answer_is_stored_with_its_model_and_usage(server: Server, upstream: Upstream) -> None:
    upstream.script(tokens=3)

    conversation = server.chat("Hi").json["conversationId"]

    answer = server.messages(conversation)[1]
    assert answer["status"] == "complete"
    assert answer["model"] == MODEL
    assert answer["usage"] == {"promptTokens": 24, "completionTokens": 3}
    assert answer["latencyMs"] >= 0


ENDINGS: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("stop", {"tokens": ["Yes."]}, "Yes.", None),
    ("length", {"tokens": ["Yes"], "finish": "length"}, "Yes", "length"),
    ("a filter", {"tokens": ["Ye"], "finish": "content_filter"}, "Ye", "content_filter"),
    ("a filter at once", {"tokens": [], "finish": "content_filter"}, "No.", "content_filter"),
    ("a refusal", {"tokens": ["I", " won't"], "refusal": True}, "No.", "content_filter"),
    ("nothing", {"tokens": []}, "I could not generate a response right now.", None),
    ("blanks", {"tokens": [" ", "\n"]}, "I could not generate a response right now.", None),
    ("no usage", {"tokens": ["Yes."], "usage": "never"}, "Yes.", None),
]


@pytest.fixture(scope="module")
def refusing(session_upstream: Upstream) -> Any:
    with Server.over(session_upstream, REFUSAL_MESSAGE="No.") as server:
        yield server


@pytest.mark.parametrize(
    ("claim", "script", "message", "reason"), ENDINGS, ids=lambda x: str(x)[:20]
)
def test_every_ending_is_done_with_its_text(
    refusing: Server,
    upstream: Upstream,
    claim: str,
    script: dict[str, Any],
    message: str,
    reason: str | None,
) -> None:
    upstream.script(**script)

    with refusing.stream("Hi") as stream:
        done = stream.events()[-1]

    marked = {"finishReason": reason} if reason else {}
    where = {name: done[name] for name in ("conversationId", "turnId", "messageId")}
    assert done == {"type": "done", "message": message, **where, **marked}
    assert refusing.said(done["conversationId"]) == [("user", "Hi"), ("assistant", message)]


def test_silence_is_filled_with_empty_lines(session_upstream: Upstream, upstream: Upstream) -> None:
    upstream.script(tokens=3, fault="stall", at=1)
    with Server.over(session_upstream, HEARTBEAT_S="0.1") as server, server.stream("Hi") as stream:
        stream.until("token")

        beats = [stream.next_line().type for _ in range(3)]
        upstream.release()
        rest = stream.events()

    assert beats == ["heartbeat"] * 3
    assert [event["type"] for event in rest] == ["token", "token", "done"]


def test_a_stream_over_http_1_0_is_read_to_the_close(server: Server, upstream: Upstream) -> None:
    upstream.script(tokens=3)
    body = json.dumps({"sessionId": "s-http10", "message": "Hi"}).encode()
    headers = {"Content-Type": "application/json", "x-api-key": WIDGET_KEY}
    request = request_bytes("POST", "/v1/chat/stream", headers, body).replace(b"/1.1", b"/1.0", 1)

    events = Exchange(server.address, request).begin().events()

    assert [event["type"] for event in events] == ["start", "token", "token", "token", "done"]


def test_a_model_behind_tls_answers() -> None:
    with (
        Upstream(tls=True) as secure,
        Server.over(secure, SSL_CERT_FILE=str(secure.ca_file)) as server,
    ):
        secure.script(tokens=len(WORDS), gap_ms=5)

        with server.stream("Hi") as stream:
            lines = list(stream.lines())

    assert tokens(lines) == list(WORDS)
    assert lines[-1].type == "done"


def test_one_connection_serves_one_turn_after_another(server: Server, upstream: Upstream) -> None:
    upstream.script(tokens=3)
    server.chat("Hi")
    before = upstream.connections

    for _ in range(5):
        server.chat("Hi")

    assert upstream.connections == before
