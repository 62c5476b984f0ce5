"""Two assistants of one real server, each with a model server of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.eventually import eventually
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.upstream import Upstream

SHOP_KEY = "the-widget-key-of-the-shop"


@pytest.fixture
def shops() -> Iterator[Upstream]:
    """The shop's own model server."""
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def server(upstream: Upstream, shops: Upstream, tmp_path: Path) -> Iterator[Server]:
    file = tmp_path / "assistants.toml"
    file.write_text(
        "[shop]\n"
        f'widget_api_key = "{SHOP_KEY}"\n'
        f'openai_base_url = "{shops.url}"\n'
        'openai_api_key = "env:SHOP_MODEL_KEY"\n'
        'system_prompt = "Sell."\n'
        "breaker_failures = 1\n"
    )
    with Server.over(
        upstream,
        tmp_path,
        ASSISTANTS_FILE=str(file),
        SHOP_MODEL_KEY="sk-of-the-shop",
        OPENAI_EXTRA_HEADERS='{"x-team": "home"}',
        SYSTEM_PROMPT="Help.",
        LIMIT_SESSION_PER_MINUTE="3",
    ) as server:
        yield server
        assert "Traceback" not in server.log()


def ask(server: Server, key: str, session: str) -> int:
    body = {"sessionId": session, "message": "Hello"}
    return server.request("POST", "/v1/chat", body, x_api_key=key).status


def test_each_asks_its_own_server_with_its_own_key_and_nothing_of_the_other(
    server: Server, upstream: Upstream, shops: Upstream
) -> None:
    assert [ask(server, WIDGET_KEY, "s-home"), ask(server, SHOP_KEY, "s-shop")] == [200, 200]

    home, shop = upstream.wait_for_request(), shops.wait_for_request()
    assert (home.prompt[0], shop.prompt[0]) == (("system", "Help."), ("system", "Sell."))
    assert home.headers["authorization"] == "Bearer sk-of-the-live-tests"
    assert shop.headers["authorization"] == "Bearer sk-of-the-shop"
    assert ("x-team" in home.headers, "x-team" in shop.headers) == (True, False)
    assert len(shops.requests) == 1
    told = eventually(lambda: [line for line in server.log_lines() if "assistant" in line])
    assert {line["assistant"] for line in told} == {"shop"}


def test_broken_model_of_one_leaves_the_other_answering(server: Server, shops: Upstream) -> None:
    shops.script(status=500)

    assert ask(server, SHOP_KEY, "s-1") == 502
    eventually(lambda: ask(server, SHOP_KEY, "s-2") == 503)

    assert ask(server, WIDGET_KEY, "s-home") == 200


def test_full_limits_of_one_leave_the_other_answering(server: Server) -> None:
    asked = [ask(server, SHOP_KEY, "s-shop") for _ in range(4)]

    assert asked == [200, 200, 200, 429]
    assert ask(server, WIDGET_KEY, "s-home") == 200


def test_session_is_refused_with_another_key_before_any_model_is_asked(
    server: Server, upstream: Upstream, shops: Upstream
) -> None:
    assert ask(server, WIDGET_KEY, "s-one") == 200

    assert ask(server, SHOP_KEY, "s-one") == 409

    assert (len(upstream.requests), len(shops.requests)) == (1, 0)
