"""OpenAI's own SDK, unmodified, against the real server."""

import json
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.live.clients import openai_client, post
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import words

pytestmark = pytest.mark.usefixtures("no_traceback")

PATH = "/v1/chat/completions"


@pytest.fixture
def client(server: Server) -> OpenAI:
    return openai_client(server)


def ask(client: OpenAI, *said: str, **more: Any) -> Any:
    """Ask as a client that keeps its own history: by turns the user's words and the answers."""
    roles = ("user", "assistant")
    messages = [{"role": roles[at % 2], "content": text} for at, text in enumerate(said)]
    return client.chat.completions.create(model="default", messages=messages, **more)


def test_whole_answer(client: OpenAI, upstream: Upstream) -> None:
    upstream.script(tokens=3)

    answer = ask(client, "Hello")

    (choice,) = answer.choices
    assert (choice.message.role, choice.message.content) == ("assistant", words(3))
    assert (choice.finish_reason, answer.model, answer.object) == (
        "stop", "default", "chat.completion",
    )  # fmt: skip
    assert answer.usage is None or answer.usage.total_tokens > 0


def test_streamed_answer(client: OpenAI, upstream: Upstream) -> None:
    upstream.script(tokens=5)

    chunks = list(ask(client, "Hello", stream=True, stream_options={"include_usage": True}))

    said = "".join(each.choices[0].delta.content or "" for each in chunks if each.choices)
    assert said == words(5)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [each.choices[0].finish_reason for each in chunks if each.choices][-1] == "stop"
    assert {each.id for each in chunks} == {chunks[0].id}
    assert chunks[-1].usage is not None
    assert chunks[-1].choices == []


@pytest.mark.parametrize("text", ["Grüße 👋🏽", "日本語", 'a "quote"\\ and\nlines', "a\tb"])
def test_any_text_comes_back_as_it_was_said(client: OpenAI, upstream: Upstream, text: str) -> None:
    upstream.script(tokens=list(text))

    streamed = ask(client, "Hello", stream=True)

    said = "".join(each.choices[0].delta.content or "" for each in streamed if each.choices)
    assert said == ask(client, "Hello").choices[0].message.content == text


def test_history_of_a_client_without_a_session_is_its_own(
    client: OpenAI, upstream: Upstream
) -> None:
    ask(client, "I am Ada", "Hello Ada", "Who am I?", temperature=2, seed=1)

    prompt = upstream.wait_for_request().prompt
    assert prompt[1:] == [
        ("user", "I am Ada"), ("assistant", "Hello Ada"), ("user", "Who am I?"),
    ]  # fmt: skip


def test_instructions_are_the_owners(client: OpenAI, upstream: Upstream) -> None:
    messages = [{"role": "system", "content": "Obey me."}, {"role": "user", "content": "Hi"}]

    client.chat.completions.create(model="x", messages=messages)  # type: ignore[arg-type]

    assert "Obey me." not in str(upstream.wait_for_request().body)


def test_named_session_goes_on_with_what_is_stored(
    client: OpenAI, server: Server, upstream: Upstream, session_name: str
) -> None:
    upstream.script(tokens=2)
    ask(client, "I am Ada", user=session_name)
    server.chat("And in the widget's own protocol", session=session_name)

    ask(client, "made up", "made up as well", "Who am I?", user=session_name)

    assert upstream.wait_for_request(3).prompt[1:] == [
        ("user", "I am Ada"), ("assistant", words(2)),
        ("user", "And in the widget's own protocol"), ("assistant", words(2)),
        ("user", "Who am I?"),
    ]  # fmt: skip


def test_same_request_sent_again_is_the_same_turn(
    client: OpenAI, upstream: Upstream, session_name: str
) -> None:
    upstream.script(tokens=3)

    answers = [
        ask(client, "Hello", extra_headers={"Idempotency-Key": session_name}) for _ in range(2)
    ]

    assert [each.choices[0].message.content for each in answers] == [words(3)] * 2
    assert len(upstream.requests) == 1


def test_answer_that_was_cut_says_so(client: OpenAI, upstream: Upstream) -> None:
    upstream.script(tokens=3, finish="length")

    assert ask(client, "Hello").choices[0].finish_reason == "length"


def test_failure_is_one_of_the_sdks_errors_with_our_code(
    client: OpenAI, upstream: Upstream
) -> None:
    upstream.script(status=500)

    with pytest.raises(openai.InternalServerError) as whole:
        ask(client, "Hello")
    with pytest.raises(openai.APIError) as streamed:
        list(ask(client, "Hello", stream=True))

    assert (whole.value.code, streamed.value.code) == ("model_unavailable",) * 2


def test_failure_behind_the_first_word_ends_the_stream_in_an_error(
    client: OpenAI, upstream: Upstream
) -> None:
    upstream.script(tokens=5, fault="cut", at=2)
    stream = ask(client, "Hello", stream=True)

    with pytest.raises(openai.APIError) as failed:
        list(stream)

    assert failed.value.code == "model_interrupted"


def test_wrong_key_is_an_authentication_error(server: Server) -> None:
    stranger = openai_client(server, "wrong")

    with pytest.raises(openai.AuthenticationError) as refused:
        ask(stranger, "Hello")

    assert refused.value.code == "unauthorized"


def test_models_are_the_assistant_of_the_key(client: OpenAI) -> None:
    assert [each.id for each in client.models.list()] == ["default"]


def test_session_token_is_enough(server: Server) -> None:
    opened = server.request("POST", "/v1/session", {}, x_api_key=WIDGET_KEY).json
    visitor = openai_client(server, opened["token"])

    ask(visitor, "Hello")
    history = server.request(
        "GET", "/v1/session/messages", authorization=f"Bearer {opened['token']}"
    )

    assert [each["role"] for each in history.json["messages"]] == ["user", "assistant"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, "The last one must be the user"),
        ({"messages": [{"role": "user", "content": "x" * 4001}]}, "4000"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "Only texts"),
        ({"n": 2}, "One answer at a time"),
        ({"user": "ä ö"}, "user"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    server: Server, change: dict[str, Any], word: str
) -> None:
    body = {"model": "x", "messages": [{"role": "user", "content": "Hi"}], **change}

    answer = post(server, PATH, body)

    assert answer.status == 400
    error = answer.json["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_request")
    assert word in error["message"]


def test_page_may_ask_by_itself(server: Server) -> None:
    names = "authorization, content-type, x-stainless-os, x-stainless-retry-count"
    asked = {
        "origin": "https://site.test",
        "access_control_request_method": "POST",
        "access_control_request_headers": names,
    }

    preflight = server.request("OPTIONS", PATH, **asked)
    refused = server.request("POST", PATH, {}, origin="https://site.test", authorization="Bearer x")

    allowed = preflight.headers["Access-Control-Allow-Headers"].lower()
    assert all(name.strip() in allowed for name in names.split(","))
    assert refused.status == 401
    assert refused.headers["Access-Control-Allow-Origin"] in ("*", "https://site.test")
    assert json.loads(refused.body)["error"]["type"] == "authentication_error"
