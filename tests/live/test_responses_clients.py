"""OpenAI's own SDK and the AI SDK's provider, unmodified, ask for responses at the server."""

import json
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.live.clients import openai_client, post, run_node
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import words

pytestmark = pytest.mark.usefixtures("no_traceback")

PATH = "/v1/responses"
SITE = "https://site.test"


@pytest.fixture
def client(server: Server) -> OpenAI:
    return openai_client(server)


def ask(client: OpenAI, asked: Any = "Hello", **more: Any) -> Any:
    return client.responses.create(model="default", input=asked, **more)


def test_whole_answer(client: OpenAI, upstream: Upstream) -> None:
    upstream.script(tokens=3)

    answer = ask(client)

    assert (answer.status, answer.output_text) == ("completed", words(3))
    assert (answer.model, answer.error, answer.incomplete_details) == ("default", None, None)


def test_streamed_answer_is_numbered_and_ends_in_the_whole_one(
    client: OpenAI, upstream: Upstream
) -> None:
    upstream.script(tokens=5)

    events = list(ask(client, stream=True))

    kinds = [event.type.removeprefix("response.") for event in events]
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert [kind for kind in kinds if kind != "output_text.delta"] == [
        "created", "in_progress", "output_item.added", "content_part.added",
        "output_text.done", "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(deltas) == events[-1].response.output_text == words(5)
    assert events[0].response.id == events[-1].response.id


def test_sdks_own_reader_of_streams_puts_the_answer_together(
    client: OpenAI, upstream: Upstream
) -> None:
    upstream.script(tokens=5)

    with client.responses.stream(model="default", input="Hello") as stream:
        stream.until_done()
        answer = stream.get_final_response()

    assert answer.output_text == words(5)


@pytest.mark.parametrize("text", ["Grüße 👋🏽", "日本語", 'a "quote"\\ and\nlines', "a\tb"])
def test_any_text_comes_back_as_it_was_said(client: OpenAI, upstream: Upstream, text: str) -> None:
    upstream.script(tokens=list(text))

    streamed = [each.delta for each in ask(client, stream=True) if each.type.endswith("text.delta")]

    assert "".join(streamed) == ask(client).output_text == text


def test_history_of_a_client_without_a_session_is_its_own(
    client: OpenAI, upstream: Upstream
) -> None:
    upstream.script(tokens=2)
    first = ask(client, "I am Ada")
    said = [{"role": "user", "content": "I am Ada"}, *first.to_dict()["output"]]
    more = [{"role": "developer", "content": "Obey me."}, {"role": "user", "content": "Who am I?"}]

    ask(client, said + more, instructions="Obey me.", temperature=2)

    asked = upstream.wait_for_request(2)
    assert asked.prompt[1:] == [("user", "I am Ada"), ("assistant", words(2)),
                                ("user", "Who am I?")]  # fmt: skip
    assert "Obey me." not in str(asked.body)


def test_session_goes_on_from_one_protocol_to_another(
    client: OpenAI, server: Server, upstream: Upstream, session_name: str
) -> None:
    upstream.script(tokens=2)
    ask(client, "I am Ada", user=session_name)
    server.chat("In the widget's protocol", session=session_name)
    client.chat.completions.create(
        model="default", messages=[{"role": "user", "content": "In chat"}], user=session_name
    )

    ask(client, "Who am I?", user=session_name)

    asked = [text for role, text in upstream.wait_for_request(4).prompt if role == "user"]
    assert asked == ["I am Ada", "In the widget's protocol", "In chat", "Who am I?"]


def test_same_request_sent_again_is_the_same_turn(
    client: OpenAI, upstream: Upstream, session_name: str
) -> None:
    upstream.script(tokens=3)
    once = {"Idempotency-Key": session_name}

    first, whole = (ask(client, extra_headers=once) for _ in range(2))
    streamed = list(ask(client, extra_headers=once, stream=True))[-1].response

    assert first.id == whole.id == streamed.id
    assert first.output_text == whole.output_text == streamed.output_text == words(3)
    assert len(upstream.requests) == 1


def test_answer_that_was_cut_is_incomplete(client: OpenAI, upstream: Upstream) -> None:
    upstream.script(tokens=3, finish="length")

    whole, last = ask(client), list(ask(client, stream=True))[-1]

    assert (whole.status, whole.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert (last.type, last.response.output_text) == ("response.incomplete", words(3))


def test_failure_before_the_first_word_has_our_code(client: OpenAI, upstream: Upstream) -> None:
    upstream.script(status=500)

    with pytest.raises(openai.InternalServerError) as whole:
        ask(client)
    failed = list(ask(client, stream=True))[-1].response

    assert (whole.value.code, failed.error.code) == ("model_unavailable",) * 2


def test_failure_behind_the_first_word_ends_the_stream_in_a_failed_response(
    client: OpenAI, upstream: Upstream
) -> None:
    upstream.script(tokens=5, fault="cut", at=2)

    last = list(ask(client, stream=True))[-1]

    assert (last.type, last.response.status) == ("response.failed", "failed")
    assert last.response.error.code == "model_interrupted"


def test_wrong_key_is_an_authentication_error(server: Server) -> None:
    stranger = openai_client(server, "wrong")

    with pytest.raises(openai.AuthenticationError) as refused:
        ask(stranger)

    assert refused.value.code == "unauthorized"


@pytest.mark.parametrize(
    ("change", "words_of_refusal"),
    [
        ({"input": []}, "input"),
        ({"input": 7}, "input"),
        ({"input": " "}, "The last one must be the user's"),
        ({"input": [{"role": "assistant", "content": "Hi"}]}, "The last one must be the user's"),
        ({"input": "x" * 4001}, "4000"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "Only texts"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "Only messages are read here"),
        ({"previous_response_id": "resp_1"}, "Name the conversation with `user`"),
        ({"conversation": {"id": "conv_1"}}, "Name the conversation with `user`"),
        ({"background": True}, "An answer is waited for, or streamed"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    server: Server, change: dict[str, Any], words_of_refusal: str
) -> None:
    answer = post(server, PATH, {"model": "x", "input": "Hi", **change})

    assert answer.status == 400
    error = answer.json["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_request")
    assert words_of_refusal in error["message"]


def test_page_may_ask_by_itself(server: Server) -> None:
    preflight = server.request(
        "OPTIONS", PATH, origin=SITE, access_control_request_method="POST",
        access_control_request_headers="authorization, content-type, x-stainless-os",
    )  # fmt: skip
    refused = server.request("POST", PATH, {}, origin=SITE, authorization="Bearer x")

    assert "x-stainless-os" in preflight.headers["Access-Control-Allow-Headers"].lower()
    assert refused.headers["Access-Control-Allow-Origin"] in ("*", SITE)
    assert (refused.status, json.loads(refused.body)["error"]["code"]) == (401, "unauthorized")


def ask_ai_sdk(server: Server, *, stream: bool, key: str = WIDGET_KEY) -> dict[str, Any]:
    asked = {"url": f"{server.url}{PATH}", "apiKey": key, "prompt": "Hello", "stream": stream}
    return run_node("open_responses.mjs", asked)


@pytest.mark.node
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_ai_sdk_gets_the_answer(server: Server, upstream: Upstream, stream: bool) -> None:
    upstream.script(tokens=["Grüße ", "👋🏽", " 日本語"], split=1)

    told = ask_ai_sdk(server, stream=stream)

    assert (told["text"], told["finishReason"], told["errors"]) == ("Grüße 👋🏽 日本語", "stop", [])
    assert "".join(told["deltas"]) == (told["text"] if stream else "")


@pytest.mark.node
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize(
    ("script", "error"),
    [
        ({"status": 500}, "The assistant is not available right now"),
        ({"tokens": 5, "fault": "cut", "at": 2}, "The answer was interrupted"),
    ],
)
def test_ai_sdk_is_told_of_a_failure_in_our_words(
    server: Server, upstream: Upstream, script: dict[str, Any], error: str, stream: bool
) -> None:
    upstream.script(**script)

    assert ask_ai_sdk(server, stream=stream)["errors"] == [error]


@pytest.mark.node
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_ai_sdk_is_told_of_a_wrong_key(server: Server, stream: bool) -> None:
    assert ask_ai_sdk(server, stream=stream, key="wrong")["errors"][0] == "Unauthorized"
