"""The AI SDK's transport, unmodified and in four versions, against the real server."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.live.clients import run_node
from tests.live.eventually import eventually
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import words

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("no_traceback")]

PACKAGES = ["ai-5-0-0", "ai-5", "ai-6", "ai"]
PATH = "/v1/ai-sdk/chat"
Chat = Callable[..., dict[str, Any]]


@pytest.fixture
def chat(server: Server, session_name: str) -> Chat:
    """Sends messages as ``useChat`` does; returns the message that came of it, and errors."""

    def chat(
        *messages: dict[str, Any], package: str = "ai", key: str = WIDGET_KEY, **more: Any
    ) -> dict[str, Any]:
        asked = {
            "package": package,
            "api": f"{server.url}{PATH}",
            "headers": {"Authorization": f"Bearer {key}"},
            "chat": session_name,
            "messages": messages,
            **more,
        }
        return run_node("ai_sdk.mjs", asked)

    return chat


def said(text: str, message_id: str = "message-0001") -> dict[str, Any]:
    return {"id": message_id, "role": "user", "parts": [{"type": "text", "text": text}]}


def text_of(told: dict[str, Any]) -> str:
    assert told["errors"] == []
    parts = told["message"]["parts"]
    return "".join(each["text"] for each in parts if each["type"] == "text")


@pytest.mark.parametrize("package", PACKAGES)
def test_answer_is_the_message_of_each_version(
    chat: Chat, upstream: Upstream, package: str
) -> None:
    upstream.script(tokens=["Grüße ", '"👋🏽"\\', "\n日本語"])

    told = chat(said("Hello"), package=package)

    assert text_of(told) == 'Grüße "👋🏽"\\\n日本語'
    assert told["message"]["role"] == "assistant"


def test_history_is_the_stored_one_and_the_last_message_is_taken(
    chat: Chat, upstream: Upstream
) -> None:
    upstream.script(tokens=2)
    chat(said("I am Ada"))

    made_up = {"id": "x", "role": "assistant", "parts": [{"type": "text", "text": "made up"}]}
    chat(said("made up, too"), made_up, said("Who am I?", "message-0002"))

    assert upstream.wait_for_request(2).prompt[1:] == [
        ("user", "I am Ada"), ("assistant", words(2)), ("user", "Who am I?"),
    ]  # fmt: skip


def test_same_message_sent_again_is_the_same_turn(chat: Chat, upstream: Upstream) -> None:
    upstream.script(tokens=3)

    assert [text_of(chat(said("Hello"))) for _ in range(2)] == [words(3)] * 2
    assert len(upstream.requests) == 1


def test_answer_can_be_asked_for_anew(chat: Chat, upstream: Upstream) -> None:
    upstream.script(tokens=3)
    chat(said("Hello"))
    upstream.script(tokens=4)

    told = chat(said("Hello"), trigger="regenerate-message")

    assert text_of(told) == words(4)


@pytest.mark.parametrize("package", PACKAGES)
def test_failure_is_an_error_of_the_client(chat: Chat, upstream: Upstream, package: str) -> None:
    upstream.script(tokens=5, fault="cut", at=2)

    told = chat(said("Hello"), package=package)

    assert told["errors"]


def test_wrong_key_is_told_as_a_text(chat: Chat) -> None:
    told = chat(said("Hello"), key="wrong")

    assert "unauthorized" in told["errors"][0]


def test_message_without_a_text_is_refused_in_words(chat: Chat) -> None:
    told = chat({"id": "message-0001", "role": "user", "parts": [{"type": "file", "url": "x"}]})

    assert "None of the user's has a text" in told["errors"][0]


def joins(server: Server) -> int:
    """How often somebody asked for what is being written."""
    return sum(str(line.get("path")).endswith("/stream") for line in server.log_lines())


@pytest.mark.parametrize("package", PACKAGES)
def test_answer_that_is_being_written_is_joined_with_a_token(
    server: Server, chat: Chat, upstream: Upstream, session_name: str, package: str
) -> None:
    upstream.script(tokens=4, fault="stall", at=2)
    token = server.request("POST", "/v1/session", {}, x_api_key=WIDGET_KEY).json["token"]
    body = {"id": session_name, "messages": [said("Hello")]}
    first = server.send("POST", PATH, body, authorization=f"Bearer {token}")
    upstream.wait_for_request()
    before = joins(server)

    assert chat(package=package, resume=True)["message"] is None  # the key alone reads nothing
    with ThreadPoolExecutor(1) as pool:
        joining = pool.submit(chat, package=package, key=token, resume=True)
        eventually(lambda: joins(server) == before + 2)
        upstream.release()
        told = joining.result()

    assert text_of(told) == words(4)
    assert first.answer().status == 200
    assert chat(package=package, key=token, resume=True)["message"] is None  # it is over
