"""What a strict server is sent of a conversation, whatever has happened in it."""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from flask.testing import FlaskClient
from gevent.event import Event
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from app.completion.openai.model import OpenAIModel, OpenAIOptions
from tests.data import WIDGET_KEY
from tests.providers.provider import alternates
from tests.servers.peer import Link, Peer, whole

if TYPE_CHECKING:
    from tests.conftest import MakeApp

KEY = {"x-api-key": WIDGET_KEY}
PATHS = ["/v1/chat", "/v1/chat/stream", "/chat"]
VARIABLES = {
    "SECRET_KEY": "secret-key-of-the-unit-tests",
    "BREAKER_FAILURES": "0",
    "RATE_LIMIT_MAX_REQUESTS": "10000",
    "SYSTEM_PROMPT": "Be brief.",
}
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def event(chunk: Any) -> bytes:
    return b"data: %b\n\n" % json.dumps(chunk).encode()


def word(text: str, part: str = "content") -> bytes:
    return event({"choices": [{"index": 0, "delta": {part: text}}]})


def fin(reason: str) -> bytes:
    return event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})


def error(status: str, **told: Any) -> bytes:
    return whole(json.dumps({"error": told}).encode(), status, "Connection: close")


BETWEEN = "\n\n"
HOLD = b""
STOP = fin("stop")
# What a server may answer, by what it is; its connection ends behind it.
ANSWERS: dict[str, tuple[bytes, ...]] = {
    "good": (STREAM, word("Yes"), word(", of course."), STOP),
    "overloaded": (error("503 Unavailable", message="overloaded"),),
    "rate limited": (error("429 Too Many Requests", message="slow down"),),
    "refused": (error("400 Bad Request", message="no"),),
    "wrong key": (error("401 Unauthorized", message="no", code="invalid_api_key"),),
    "hung up": (),
    "cut": (STREAM, word("Half an")),
    "cut before a word": (STREAM, word("")),
    "broke": (STREAM, word("Half an"), event({"error": {"code": 502, "message": "x"}})),
    "broke, then stopped": (STREAM, word("Half an"), fin("error"), STOP),
    "said nothing": (STREAM, STOP),
    "said a blank": (STREAM, word(" \n"), STOP),
    "only thought": (STREAM, word("<think>hm"), fin("length")),
    "thought first": (STREAM, word("<think>hm</think>"), word("\n\nYes."), STOP),
    "thought in its template": (STREAM, word("hm\n</think>\n\nYes."), STOP),
    "too long": (STREAM, word("Much"), fin("length")),
    "filtered": (STREAM, fin("content_filter")),
    "refused in words": (STREAM, word("I cannot.", "refusal"), STOP),
    "called a tool": (STREAM, fin("tool_calls")),
    "a page": (whole(b"<!doctype html>", "200 OK", "Content-Type: text/html"),),
    "stopped": (STREAM, word("Half an"), HOLD),
    "stopped before a word": (STREAM, word(""), HOLD),
}


class StrictServer:
    """Plays ``answer``; what it was sent is ``bodies``."""

    def __init__(self) -> None:
        self.answer = "good"
        self.bodies: list[dict[str, Any]] = []
        self.holding = Event()

    def respond(self, link: Link) -> None:
        request = link.request()
        if not request:
            return
        self.bodies.append(json.loads(request.partition(b"\r\n\r\n")[2]))
        for step in ANSWERS[self.answer]:
            if step is HOLD:
                self.holding.set()
                link.wait_left()
            else:
                link.send(step)

    def check(self) -> None:
        """Hold what Jinja templates that raise hold, of all that came."""
        for body in self.bodies:
            roles = [said["role"] for said in body["messages"]]
            assert roles[0] == "system"
            assert roles[1] == "user"
            assert alternates(body), roles
            assert all(said["content"].strip() for said in body["messages"])
            assert not any("think>" in said["content"] for said in body["messages"])

    @property
    def last(self) -> list[str]:
        return [said["content"] for said in self.bodies[-1]["messages"][1:]]


@pytest.fixture
def server() -> StrictServer:
    return StrictServer()


@pytest.fixture
def model(server: StrictServer) -> Iterator[OpenAIModel]:
    """The real one, which asks ``server``."""
    with Peer(server.respond) as peer:
        yield OpenAIModel(
            OpenAIOptions(
                api_key="sk-of-the-tests",
                model="m",
                base_url=f"{peer.url}/v1",
                retry_after_s=0.01,
                read_timeout_s=20,
            )
        )


class Visitor:
    """Asks with a session's token; stops the answer where the server holds it.

    Of a stream it does so when it has seen what was said before.
    """

    def __init__(self, client: FlaskClient, server: StrictServer) -> None:
        self._client = client
        self._server = server
        self._turns = 0
        self._question = ""
        self._seen = Event()
        answer = client.post("/v1/session", json={}, headers=KEY)
        self._headers = KEY | {"Authorization": f"Bearer {answer.json['token']}"}

    def ask(self, answer: str, question: str = "", path: str = PATHS[0], **fields: Any) -> None:
        if not fields:
            self._turns += 1
            self._question = question or f"Question {self._turns}?"
        self._server.answer = answer
        self._server.holding.clear()
        self._seen.clear()
        turn = f"turn-{self._turns:04}"
        body = {"message": self._question, "turnId": turn, **fields}
        asking = gevent.spawn(self._post, path, body)
        if HOLD in ANSWERS[answer]:
            assert self._server.holding.wait(20)
            if path != PATHS[0] and word("Half an") in ANSWERS[answer]:
                assert self._seen.wait(20)
            self._post(f"/v1/turns/{turn}/stop", None)
        asking.get(timeout=20)

    def again(self, answer: str, path: str = PATHS[0]) -> None:
        """Ask the last question once more."""
        self.ask(answer, path=path, regenerate=True)

    def _post(self, path: str, body: Any) -> None:
        with self._client.post(path, json=body, headers=self._headers) as answer:
            assert answer.status_code not in (400, 401, 409), answer.text
            for piece in answer.iter_encoded():
                if b'"token"' in piece:
                    self._seen.set()


@pytest.fixture
def visitor(make_app: "MakeApp", server: StrictServer) -> Visitor:
    return Visitor(make_app(**VARIABLES).test_client(), server)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_conversation_goes_on_after_any_answer(
    visitor: Visitor, server: StrictServer, answer: str, path: str
) -> None:
    for each in ["good", answer, answer, "good"]:
        visitor.ask(each, path=path)
    visitor.again(answer, path)
    visitor.again("good", path)
    visitor.ask("good", "And now?", path)

    server.check()
    assert server.last[0] == "Question 1?"
    assert server.last[-1] == "And now?"
    assert server.last[-2] == "Yes, of course."
    # What is refused would be refused with each question that follows.
    assert any("Question 2?" in text for text in server.last) is (answer != "refused")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("overloaded", [f"Question 1?{BETWEEN}Question 2?"]),
        ("refused", ["Question 2?"]),
        ("said nothing", [f"Question 1?{BETWEEN}Question 2?"]),
        ("only thought", [f"Question 1?{BETWEEN}Question 2?"]),
        ("stopped before a word", [f"Question 1?{BETWEEN}Question 2?"]),
        ("cut", ["Question 1?", "Half an", "Question 2?"]),
        ("stopped", ["Question 1?", "Half an", "Question 2?"]),
        ("thought first", ["Question 1?", "Yes.", "Question 2?"]),
        ("thought in its template", ["Question 1?", "Yes.", "Question 2?"]),
    ],
)
def test_unanswered_question_is_joined_to_the_next(
    visitor: Visitor, server: StrictServer, answer: str, expected: list[str]
) -> None:
    visitor.ask(answer, path="/v1/chat/stream")
    visitor.ask("good")

    server.check()
    assert server.last == expected


@pytest.mark.parametrize(
    "cut",
    [{"MAX_HISTORY_MESSAGES": str(count)} for count in (1, 2, 3, 4, 5)]
    + [{"MAX_PROMPT_TOKENS": str(count)} for count in (100, 105, 110, 115, 130, 140, 150)],
    ids=str,
)
def test_history_is_cut_by_whole_turns(
    make_app: "MakeApp", server: StrictServer, cut: dict[str, str]
) -> None:
    visitor = Visitor(make_app(**VARIABLES, **cut).test_client(), server)
    question = " ".join(["word"] * 20)

    for answer in ["good", "good", "cut", "overloaded", "good", "stopped", "good", "good"]:
        visitor.ask(answer, question)

    server.check()
    assert server.last[-1].endswith(question)
    assert len(server.last) < 13


@pytest.mark.parametrize("seed", range(20))
def test_any_conversation_is_told_strictly(
    make_app: "MakeApp", server: StrictServer, seed: int
) -> None:
    random = Random(seed)
    limits = {
        "MAX_HISTORY_MESSAGES": random.choice(["1", "2", "3", "5", "8", "30"]),
        "MAX_PROMPT_TOKENS": random.choice(["100", "120", "8000"]),
    }
    visitor = Visitor(make_app(**VARIABLES, **limits).test_client(), server)

    for number in range(12):
        answer, path = random.choice(list(ANSWERS)), random.choice(PATHS)
        if number and random.random() < 0.25:
            visitor.again(answer, path)
        else:
            visitor.ask(answer, random.choice(["", "hello?", "word " * 20]), path)
    visitor.ask("good", "And now?")

    server.check()
    assert server.last[-1].endswith("And now?")


QUESTION = "Where did I leave my grandmother's blue lamp?"
CAUSES: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "a wrong key": (
        lambda: error(
            "401 Unauthorized", message="Incorrect API key provided", code="invalid_api_key"
        ),
        "model_misconfigured",
        "Incorrect API key provided",
    ),
    "a question in an error": (
        lambda: error(
            "400 Bad Request", message=f"Invalid 'messages[1].content': {QUESTION} is not allowed"
        ),
        "model_refused",
        "Invalid 'messages[1].content': …",
    ),
    "an error in the stream": (
        lambda: STREAM + event({"error": {"code": 401, "message": f"no: {QUESTION.upper()}"}}),
        "model_misconfigured",
        "401: no: …",
    ),
    "an error behind a word": (
        lambda: STREAM + word("Half") + event({"error": {"code": 502, "message": "gone"}}),
        "model_unavailable",
        "502: gone",
    ),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("answer", "code", "cause"), CAUSES.values(), ids=CAUSES)
def test_owner_is_told_why_and_nothing_of_the_visitor(
    visitor: Visitor,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    path: str,
    answer: Callable[[], bytes],
    code: str,
    cause: str,
) -> None:
    monkeypatch.setitem(ANSWERS, "scripted", (answer(),))

    with capture_logs([merge_contextvars]) as lines:
        visitor.ask("scripted", QUESTION, path)

    (line,) = [each for each in lines if "cause" in each]
    (request,) = [each for each in lines if each.get("path") == path]
    assert (line["event"], line["log_level"], line["outcome"]) == ("stream", "warning", code)
    assert line["id"] == request["id"]
    assert cause in line["cause"]
    told = f"{lines} {[vars(record) for record in caplog.records]}".casefold()
    assert "grandmother" not in told
    assert "lamp" not in told
