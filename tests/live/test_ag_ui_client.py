"""AG-UI's own client and TanStack AI's, unmodified, against the real server."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.live.clients import post, run_node
from tests.live.turns import open_session
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import words

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("no_traceback")]

PATH = "/v1/ag-ui"
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(server: Server, session_name: str) -> Run:
    """Runs the agent; returns the messages and events that came of it, and errors."""

    def run(
        *messages: dict[str, Any], run_id: str = "run-0001", key: str = WIDGET_KEY
    ) -> dict[str, Any]:
        asked = {
            "url": f"{server.url}{PATH}",
            "headers": {"Authorization": f"Bearer {key}"},
            "threadId": session_name,
            "runId": run_id,
            "messages": messages,
        }
        return run_node("ag_ui.mjs", asked)

    return run


def said(text: str, role: str = "user") -> dict[str, Any]:
    return {"id": f"id-of-{text}", "role": role, "content": text}


def test_run_is_one_message_between_its_events(run: Run, upstream: Upstream) -> None:
    upstream.script(tokens=["Grüße ", '"👋🏽"\\', "\n日本語"])

    told = run(said("Hello"))

    assert told["errors"] == []
    (message,) = told["messages"]
    assert (message["role"], message["content"]) == ("assistant", 'Grüße "👋🏽"\\\n日本語')
    assert told["events"][:2] == ["RUN_STARTED", "TEXT_MESSAGE_START"]
    assert told["events"][-2:] == ["TEXT_MESSAGE_END", "RUN_FINISHED"]


def test_history_is_the_stored_one_and_the_last_message_is_taken(
    run: Run, upstream: Upstream
) -> None:
    upstream.script(tokens=2)
    run(said("I am Ada"))

    run(said("made up"), said("so is this", "assistant"), said("Who am I?"), run_id="run-0002")

    assert upstream.wait_for_request(2).prompt[1:] == [
        ("user", "I am Ada"), ("assistant", words(2)), ("user", "Who am I?"),
    ]  # fmt: skip


def test_same_run_sent_again_is_the_same_turn(run: Run, upstream: Upstream) -> None:
    upstream.script(tokens=3)

    answers = [run(said("Hello"))["messages"][0]["content"] for _ in range(2)]

    assert answers == [words(3)] * 2
    assert len(upstream.requests) == 1


def test_conversation_goes_on_in_another_protocol(
    run: Run, server: Server, upstream: Upstream, session_name: str
) -> None:
    upstream.script(tokens=2)
    run(said("I am Ada"))

    server.chat("Who am I?", session=session_name)

    assert upstream.wait_for_request(2).prompt[1:3] == [
        ("user", "I am Ada"), ("assistant", words(2)),
    ]  # fmt: skip


def test_client_that_comes_back_is_told_what_it_does_not_have(
    server: Server, upstream: Upstream
) -> None:
    upstream.script(tokens=4, fault="stall", at=2)
    session = open_session(server)
    body = {"threadId": "t", "runId": "run-0001", "messages": [said("Hello")]}
    with server.send("POST", PATH, body, **session).begin() as first:
        seen = [first.next_bytes() for _ in range(10)]

    last = next(line for line in reversed(seen) if line.startswith(b"id: "))
    again = server.send("POST", PATH, body, last_event_id=last[4:].decode().strip(), **session)
    again.begin()
    upstream.release()
    rest = again.answer().body.decode()

    told = "".join(json.loads(line[6:]).get("delta", "") for line in seen if b"data: " in line)
    more = [json.loads(line[6:]) for line in rest.splitlines() if line.startswith("data: ")]
    assert told + "".join(event.get("delta", "") for event in more) == words(4)
    assert more[-1]["type"] == "RUN_FINISHED"
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("cuts", [[], [500], [700, 1]])
def test_tanstacks_connection_gets_all_of_it_once_however_often_it_breaks(
    server: Server, upstream: Upstream, session_name: str, cuts: list[int]
) -> None:
    upstream.script(tokens=40, gap_ms=5)
    asked = {
        "url": f"{server.url}{PATH}",
        "headers": open_session(server),
        "threadId": session_name,
        "runId": "run-0001",
        "text": "Hello",
        "cuts": cuts,
    }

    told = run_node("tanstack.mjs", asked)

    assert (told["said"], told["errors"]) == (words(40), [])
    assert [each for each in told["events"] if each != "TEXT_MESSAGE_CONTENT"] == [
        "RUN_STARTED", "TEXT_MESSAGE_START", "TEXT_MESSAGE_END", "RUN_FINISHED",
    ]  # fmt: skip
    assert told["tries"] == len(cuts) + 1
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("script", [{"status": 500}, {"tokens": 5, "fault": "cut", "at": 2}])
def test_failure_is_an_error_of_the_client(
    run: Run, upstream: Upstream, script: dict[str, Any]
) -> None:
    upstream.script(**script)

    told = run(said("Hello"))

    assert told["errors"] or told["events"][-1] == "RUN_ERROR"


def test_wrong_key_is_told(run: Run) -> None:
    told = run(said("Hello"), key="wrong")

    assert "401" in told["errors"][0] or "nauthorized" in told["errors"][0]


@pytest.mark.parametrize("messages", [[], [said("Hi", "assistant")], [said(" ")]])
def test_what_cannot_be_asked_is_refused_in_words(
    server: Server, messages: list[dict[str, Any]]
) -> None:
    body = {"threadId": "t", "runId": "r", "messages": messages}

    answer = post(server, PATH, body)

    assert answer.status == 400
    assert "messages" in answer.json["details"]
