"""What the settings show, the snippet and the switch."""

from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient

from app.storage.protocol import ConversationStore
from tests.dashboard.door import PASSWORD, SECRETS, form_token, sign_in
from tests.data import ADMIN_KEY, SESSION, WIDGET_KEY

if TYPE_CHECKING:
    from tests.conftest import MakeApp


def test_switching_off_asks_first(operator: FlaskClient, store: ConversationStore) -> None:
    settings = operator.get("/dashboard/settings").text
    question = operator.get("/dashboard/switch")

    assert 'value="off"' not in settings
    assert 'href="/dashboard/switch"' in settings
    assert "Switch the assistant off?" in question.text
    assert not store.read_state().switches
    operator.post("/dashboard/switch", data={"token": form_token(question), "to": "off"})
    assert store.read_state().switches == {"off"}


def test_settings_show_how_the_server_sees_its_operator(make_app: "MakeApp") -> None:
    client = make_app(
        DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0], TRUSTED_PROXY_HOPS="1"
    ).test_client()
    sign_in(client)

    html = client.get("/dashboard/settings", headers={"X-Forwarded-For": "203.0.113.7"}).text

    for words in ("You come from", "203.0.113.7", "TRUSTED_PROXY_HOPS", "SPOOL_PATH"):
        assert words in html


def test_settings_say_who_answers(make_app: "MakeApp", operator: FlaskClient) -> None:
    demo = make_app(DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0]).test_client()
    sign_in(demo)

    assert "the built-in demo answers" in demo.get("/dashboard/settings").text
    assert "the built-in demo answers" not in operator.get("/dashboard/settings").text


def test_settings_show_no_secret(operator: FlaskClient) -> None:
    html = operator.get("/dashboard/settings").text

    assert "OPENAI_API_KEY" in html
    for secret in ("sk-never-shown", ADMIN_KEY, PASSWORD, *SECRETS):
        assert secret not in html
    assert WIDGET_KEY in html  # stands in every page anyway


def test_snippet_shows_what_was_chosen(operator: FlaskClient) -> None:
    html = operator.get(
        "/dashboard/settings?title=Say+%22hi%22&position=left&accent=%23ff0000"
    ).text

    assert 'data-title="Say &#34;hi&#34;"' in html
    assert "data-title=&#34;" not in html
    assert 'data-title="Say &amp;#34;hi&amp;#34;"' in html
    assert 'data-position="left"' in html
    assert 'data-accent-color="#ff0000"' in html


def test_switch_stops_the_assistant(operator: FlaskClient, store: ConversationStore) -> None:
    page = operator.get("/dashboard/settings")
    body = {"sessionId": SESSION, "message": "Hello"}

    operator.post("/dashboard/switch", data={"token": form_token(page), "to": "off"})
    refused = operator.post("/v1/chat", json=body, headers={"x-api-key": WIDGET_KEY})
    shown = operator.get("/dashboard/settings").text
    operator.post("/dashboard/switch", data={"token": form_token(page), "to": "on"})
    answered = operator.post("/v1/chat", json=body, headers={"x-api-key": WIDGET_KEY})

    assert refused.status_code == 503
    assert "The assistant is off" in shown
    assert answered.status_code == 200


@pytest.mark.parametrize(
    ("days", "told"), [("", "until they are deleted"), ("90", "90 days after the last message")]
)
def test_settings_tell_how_long_conversations_are_kept(
    make_app: "MakeApp", days: str, told: str
) -> None:
    client = make_app(
        DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0], RETENTION_DAYS=days
    ).test_client()
    sign_in(client)

    assert told in client.get("/dashboard/settings").text
