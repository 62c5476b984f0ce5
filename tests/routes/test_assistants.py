"""Several assistants in one deployment: each is found by its key, and opens nothing of another."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.data import WIDGET_KEY
from tests.fakes import ScriptedModel

if TYPE_CHECKING:
    from tests.conftest import MakeApp

SHOP_KEY = "the-widget-key-of-the-shop"
HOME, SHOP = "https://home.test", "https://shop.test"
FILE = f"""
[shop]
widget_api_key = "{SHOP_KEY}"
cors_origin = ["{SHOP}"]
system_prompt = "Sell."
widget_title = "The shop"
rate_limit_max_requests = 5
budget_tokens_per_day = 3000
max_prompt_tokens = 2000
identity_secret = "the-identity-secret-of-the-shop-alone"
"""


@pytest.fixture
def client(make_app: "MakeApp", tmp_path: Path) -> FlaskClient:
    file = tmp_path / "assistants.toml"
    file.write_text(FILE)
    variables = {
        "ASSISTANTS_FILE": str(file),
        "CORS_ORIGIN": HOME,
        "SYSTEM_PROMPT": "Help.",
        "WIDGET_TITLE": "Home",
        "RATE_LIMIT_MAX_REQUESTS": "100",
    }
    return make_app(**variables).test_client()


def headers(key: str | None, origin: str | None = None, token: str | None = None) -> dict[str, str]:
    sent = {"x-api-key": key, "Origin": origin, "Authorization": token and f"Bearer {token}"}
    return {name: value for name, value in sent.items() if value}


def open_session(client: FlaskClient, key: str, origin: str | None = None, **body: Any) -> Any:
    return client.post("/v1/session", json=body, headers=headers(key, origin))


def chat(
    client: FlaskClient, key: str, origin: str | None = None, token: str | None = None, **body: Any
) -> TestResponse:
    asked = {"message": "Hello", **body}
    return client.post("/v1/chat", json=asked, headers=headers(key, origin, token))


def problem(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


def test_each_is_asked_by_its_own_prompt_and_shows_its_own_title(
    client: FlaskClient, model: ScriptedModel
) -> None:
    titles = [open_session(client, key).json["config"]["title"] for key in (WIDGET_KEY, SHOP_KEY)]
    for key in (WIDGET_KEY, SHOP_KEY):
        assert chat(client, key, sessionId=f"s-{key}").status_code == 200

    assert titles == ["Home", "The shop"]
    assert [prompt[0].content for prompt in model.prompts] == ["Help.", "Sell."]


@pytest.mark.parametrize(
    ("key", "origin", "status"),
    [
        (WIDGET_KEY, HOME, 200),
        (SHOP_KEY, SHOP, 200),
        (WIDGET_KEY, SHOP, 403),
        (SHOP_KEY, HOME, 403),
        (SHOP_KEY, "https://evil.test", 403),
        ("wrong", SHOP, 401),
    ],
)
def test_page_asks_the_assistant_that_names_it_and_no_other(
    client: FlaskClient, key: str, origin: str, status: int
) -> None:
    assert open_session(client, key, origin).status_code == status
    assert chat(client, key, origin, sessionId="s-1").status_code == status


@pytest.mark.parametrize("origin", [HOME, SHOP])
def test_preflight_is_answered_for_the_pages_of_all(client: FlaskClient, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}

    answer = client.options("/v1/chat", headers=asked)

    assert answer.headers["Access-Control-Allow-Origin"] == origin


def test_token_opens_nothing_with_the_key_of_another(client: FlaskClient) -> None:
    session = open_session(client, SHOP_KEY, SHOP).json

    assert chat(client, SHOP_KEY, SHOP, session["token"]).status_code == 200
    refused = chat(client, WIDGET_KEY, None, open_session(client, SHOP_KEY).json["token"])
    assert problem(refused) == (401, "session_expired")
    renewed = open_session(
        client, WIDGET_KEY, None, token=open_session(client, SHOP_KEY).json["token"]
    )
    assert problem(renewed) == (401, "session_expired")


def test_token_alone_is_refused_on_a_page_of_another(client: FlaskClient) -> None:
    token = open_session(client, SHOP_KEY, SHOP).json["token"]

    there = client.get("/v1/session/messages", headers=headers(None, SHOP, token))
    elsewhere = client.get("/v1/session/messages", headers=headers(None, HOME, token))

    assert there.status_code == 200
    assert problem(elsewhere) == (401, "unauthorized")  # a token holds for its own origin


def test_token_of_an_assistant_that_is_gone_has_expired(
    client: FlaskClient, make_app: "MakeApp"
) -> None:
    token = open_session(client, SHOP_KEY).json["token"]
    alone = make_app(CORS_ORIGIN=HOME).test_client()

    answer = alone.get("/v1/session/messages", headers=headers(None, None, token))

    assert problem(answer) == (401, "session_expired")


def test_session_that_a_client_made_up_belongs_to_the_one_it_asked_first(
    client: FlaskClient, model: ScriptedModel
) -> None:
    chat(client, WIDGET_KEY, sessionId="made-up", message="A secret of home")

    answer = chat(client, SHOP_KEY, sessionId="made-up", message="What was said?")

    assert problem(answer) == (409, "assistant_mismatch")
    assert len(model.prompts) == 1
    assert chat(client, WIDGET_KEY, sessionId="made-up").status_code == 200


def test_limits_count_for_each_alone(client: FlaskClient) -> None:
    answers = [chat(client, SHOP_KEY, sessionId=f"s-{number}") for number in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert chat(client, WIDGET_KEY, sessionId="s-home").status_code == 200


def test_budgets_are_spent_by_each_alone(client: FlaskClient, model: ScriptedModel) -> None:
    model.script("word " * 800)
    spent = [chat(client, SHOP_KEY, sessionId=f"s-{number}") for number in range(5)]

    assert problem(spent[-1]) == (429, "budget_exhausted")
    assert chat(client, WIDGET_KEY, sessionId="s-home").status_code == 200


def test_identity_is_proven_by_each_with_its_own_secret(client: FlaskClient) -> None:
    token = open_session(client, WIDGET_KEY).json["token"]

    answer = client.post(
        "/v1/session/identity", json={"jwt": "a.b.c"}, headers=headers(None, None, token)
    )

    assert problem(answer) == (503, "not_configured")  # the default has none
