"""Several assistants in one deployment: each is found by its key, and opens nothing of another."""

import csv
import json
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain.errors import ModelUnavailable
from app.storage.protocol import ConversationStore
from tests.data import ADMIN_KEY, WIDGET_KEY
from tests.fakes import ScriptedModel

if TYPE_CHECKING:
    from tests.conftest import MakeApp

SHOP_KEY = "the-widget-key-of-the-shop"
PASSWORD = "a-password-of-the-unit-tests"
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
        "DASHBOARD_PASSWORD": PASSWORD,
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


# Whoever operates them


def said_to_both(client: FlaskClient) -> None:
    assert chat(client, WIDGET_KEY, sessionId="s-home", message="Of home").status_code == 200
    for number in range(2):
        asked = chat(client, SHOP_KEY, sessionId="s-shop", message=f"Of the shop {number}")
        assert asked.status_code == 200


def admin(client: FlaskClient, path: str) -> TestResponse:
    return client.get(f"/v1/admin/{path}", headers={"x-admin-api-key": ADMIN_KEY})


def test_list_says_whose_conversations_are_and_is_narrowed_to_one(client: FlaskClient) -> None:
    said_to_both(client)

    every = admin(client, "conversations").json["conversations"]
    shops = admin(client, "conversations?assistant=shop").json
    nobodys = admin(client, "conversations?assistant=gone").json

    found = {each["sessionId"]: each["assistant"] for each in every}
    assert found == {"s-home": "default", "s-shop": "shop"}
    assert [each["sessionId"] for each in shops["conversations"]] == ["s-shop"]
    assert nobodys["conversations"] == []


@pytest.mark.parametrize("path", ["conversations", "export", "stats"])
def test_id_of_an_assistant_is_refused_where_it_is_none_and_described(
    client: FlaskClient, path: str
) -> None:
    for wrong in ("Shop!", "shop%0A", "", "s" * 33):
        answer = admin(client, f"{path}?assistant={wrong}")

        assert answer.status_code == 400
        assert list(answer.json["details"]) == ["assistant"]
    asked = client.get("/v1/openapi.json").json["paths"][f"/v1/admin/{path}"]["get"]["parameters"]
    (described,) = [each["schema"] for each in asked if each["name"] == "assistant"]
    assert described == {"type": "string", "pattern": "^[a-z0-9-]{1,32}$"}


def test_export_and_table_name_the_assistant(client: FlaskClient) -> None:
    said_to_both(client)

    lines = [json.loads(line) for line in admin(client, "export?assistant=shop").text.splitlines()]
    header, *rows = csv.reader(admin(client, "export?format=csv").text.splitlines())

    assert {line["assistant"] for line in lines} == {"shop"}
    assert len(lines) == 4
    # Later columns stand behind it: nobody's spreadsheet moves.
    place = header.index("assistant")
    assert header[place - 1 :] == [
        "requestId", "assistant", "sources", "answeredBy", "gap",
        "author", "event", "state", "contactEmail", "contactName",
    ]  # fmt: skip
    assert sorted(row[place] for row in rows) == ["default"] * 2 + ["shop"] * 4


def test_figures_are_those_of_one_or_of_all(client: FlaskClient) -> None:
    said_to_both(client)

    turns = {
        query: admin(client, f"stats{query}").json["total"]["turns"]
        for query in ("", "?assistant=shop", "?assistant=default", "?assistant=gone")
    }

    assert turns == {"": 3, "?assistant=shop": 2, "?assistant=default": 1, "?assistant=gone": 0}


def sign_in(client: FlaskClient) -> None:
    page = client.get("/dashboard/login").text
    token = page.partition('name="token" value="')[2].partition('"')[0]
    answer = client.post("/dashboard/login", data={"password": PASSWORD, "token": token})
    assert answer.status_code == 303


@pytest.fixture
def operator(client: FlaskClient) -> FlaskClient:
    said_to_both(client)
    sign_in(client)
    return client


def test_dashboard_lists_those_of_one_and_takes_the_choice_along(operator: FlaskClient) -> None:
    page = operator.get("/dashboard/conversations?assistant=shop").text

    assert "Of the shop 1" in page
    assert "Of home" not in page
    assert '<option value="shop" selected>shop</option>' in page
    assert "export?format=csv&amp;assistant=shop" in page


def test_choice_of_an_assistant_survives_every_other_filter(
    operator: FlaskClient, store: ConversationStore
) -> None:
    store.set_user("s-known", "u-1")
    said = {"sessionId": "s-known", "message": "Of the shop", "page": {"url": "https://shop.test/"}}
    assert chat(operator, SHOP_KEY, **said).status_code == 200
    chosen = "q=shop&status=complete&from=2026-01-01&page=https://&user=u-1&assistant=shop"
    page = operator.get(f"/dashboard/conversations?{chosen}").text

    export = page.partition('id="export-csv" href="')[2].partition('"')[0]
    polled = page.partition('id="list"')[2].partition('hx-get="')[2].partition('"')[0]
    for link in (export, polled):
        assert dict(parse_qsl(chosen)).items() <= dict(parse_qsl(unescape(link))).items()


def test_conversations_of_an_assistant_that_is_gone_are_still_chosen(
    operator: FlaskClient, make_app: "MakeApp"
) -> None:
    alone = make_app(DASHBOARD_PASSWORD=PASSWORD).test_client()
    sign_in(alone)

    for client, assistant in ((operator, "gone"), (alone, "shop")):
        page = client.get(f"/dashboard/conversations?assistant={assistant}").text
        assert f'<option value="{assistant}" selected>{assistant}</option>' in page
    assert "Of the shop 1" in page
    assert "Of home" not in page


def test_transcript_names_its_assistant_and_leads_to_its_others(operator: FlaskClient) -> None:
    page = operator.get("/dashboard/conversations?assistant=shop").text
    path = page.partition('class="lead"')[2].partition('href="')[2].partition('"')[0]

    transcript = operator.get(path).text

    assert '<a href="/dashboard/conversations?assistant=shop">shop</a>' in transcript


def test_overview_names_whose_turn_failed_unless_one_is_chosen(
    operator: FlaskClient, model: ScriptedModel
) -> None:
    model.script(start=ModelUnavailable())
    chat(operator, SHOP_KEY, sessionId="s-fails", message="Of the failed")

    every, shops, homes = (
        operator.get(f"/dashboard/{query}").text.partition("Failed lately")[2]
        for query in ("", "?assistant=shop", "?assistant=default")
    )

    badge = '<span class="badge" title="Assistant">shop</span>'
    assert ("Of the failed" in every, badge in every) == (True, True)
    assert ("Of the failed" in shops, badge in shops) == (True, False)
    assert "Of the failed" not in homes


def test_overview_tells_of_every_model_that_ends(make_app: "MakeApp", tmp_path: Path) -> None:
    file = tmp_path / "assistants.toml"
    file.write_text(f'[shop]\nwidget_api_key = "{SHOP_KEY}"\nopenai_model = "gpt-4.1"')
    client = make_app(
        DASHBOARD_PASSWORD=PASSWORD, ASSISTANTS_FILE=str(file), OPENAI_API_KEY="sk-of-the-tests"
    ).test_client()
    sign_in(client)

    every, homes = (client.get(f"/dashboard/{query}").text for query in ("", "?assistant=default"))

    assert "gpt-4.1 " in every.partition("The model will end")[2]
    assert "The model will end" not in homes


def test_dashboard_sums_up_one_or_all(operator: FlaskClient) -> None:
    every, shops = (
        operator.get(f"/dashboard/{query}").text for query in ("", "?assistant=shop&span=24h")
    )

    assert 'assistant=shop"' in every
    assert 'href="/dashboard/?span=7d&amp;assistant=shop"' in shops
    assert 'href="/dashboard/?span=24h&amp;assistant=shop" aria-current="true">shop</a>' in shops


def test_settings_show_each_and_the_tag_of_the_one_that_is_chosen(operator: FlaskClient) -> None:
    page = operator.get("/dashboard/settings?assistant=shop").text

    assert "Budget (default)" in page
    assert "Budget (shop)" in page
    assert SHOP_KEY in page
    assert WIDGET_KEY not in page
    assert "The shop" in page


def test_who_has_one_assistant_sees_no_choice(make_app: "MakeApp") -> None:
    client = make_app(DASHBOARD_PASSWORD=PASSWORD).test_client()
    sign_in(client)
    chat(client, WIDGET_KEY, sessionId="s-1")

    for path in ("", "conversations", "settings"):
        assert "assistant=" not in client.get(f"/dashboard/{path}").text
        assert 'name="assistant"' not in client.get(f"/dashboard/{path}").text
