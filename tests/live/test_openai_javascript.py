"""OpenAI's own SDK for JavaScript, unmodified, by both of its interfaces."""

from typing import Any

import pytest

from tests.live.clients import run_node
from tests.live.eventually import eventually
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.upstream import Upstream

pytestmark = [
    pytest.mark.node,
    pytest.mark.usefixtures("no_traceback"),
    pytest.mark.parametrize("api", ["chat", "responses"]),
]

WAYS = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


def ask(server: Server, api: str, *, key: str = WIDGET_KEY, **more: Any) -> dict[str, Any]:
    return run_node(
        "openai.mjs", {"baseURL": f"{server.url}/v1", "apiKey": key, "api": api, **more}
    )


@WAYS
def test_any_text_comes_back_however_it_was_cut(
    server: Server, upstream: Upstream, api: str, stream: bool
) -> None:
    upstream.script(tokens=["Grüße ", "👋🏽", " 日本語"], split=1)

    assert ask(server, api, stream=stream) == {"text": "Grüße 👋🏽 日本語"}


@WAYS
def test_failure_before_the_first_word_has_our_code(
    server: Server, upstream: Upstream, api: str, stream: bool
) -> None:
    upstream.script(status=500)

    told = ask(server, api, stream=stream)

    assert (told["text"], told["code"]) == ("", "model_unavailable")
    assert stream or (told["error"], told["status"]) == ("InternalServerError", 502)


def test_failure_behind_the_first_word_keeps_what_was_said(
    server: Server, upstream: Upstream, api: str
) -> None:
    upstream.script(tokens=["One", " two", " three"], fault="cut", at=2)

    told = ask(server, api, stream=True)

    assert (told["text"], told["code"]) == ("One two", "model_interrupted")


@WAYS
def test_wrong_key_is_an_authentication_error(server: Server, api: str, stream: bool) -> None:
    told = ask(server, api, stream=stream, key="wrong")

    assert (told["error"], told["code"], told["status"]) == (
        "AuthenticationError", "unauthorized", 401,
    )  # fmt: skip


def test_loop_that_is_left_ends_the_model(server: Server, upstream: Upstream, api: str) -> None:
    upstream.script(tokens=["word "] * 1000, gap_ms=20)

    told = ask(server, api, stream=True, stopAfter=3)

    assert told == {"text": "word word word "}
    assert eventually(lambda: upstream.requests[-1].left(within_s=20), within_s=25)
