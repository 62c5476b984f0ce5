"""The operator's pages: who gets in, and what they show."""

import re
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.conversation import Answer, Feedback, Page, Usage
from app.errors import ModelMisconfigured
from app.storage.protocol import ConversationStore
from tests.data import ADMIN_KEY, SESSION, TURN, WIDGET_KEY, a_question, an_answer

if TYPE_CHECKING:
    from tests.conftest import MakeApp

PASSWORD = "open sesame 123"
SECRETS = ("first-secret-of-the-dashboard", "second-secret-of-the-dashboard")
DOOR = "/dashboard/login"
PAGES = ["/dashboard/", "/dashboard/conversations", "/dashboard/settings", "/dashboard/nowhere"]


@pytest.fixture
def app(make_app: "MakeApp") -> Flask:
    return make_app(
        DASHBOARD_PASSWORD=PASSWORD,
        SECRET_KEY=SECRETS[0],
        MODEL_PRICES="gpt-4.1=2/8",
        OPENAI_API_KEY="sk-never-shown",
    )


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def operator(app: Flask) -> FlaskClient:
    client = app.test_client()
    assert sign_in(client).status_code == 303
    return client


def form_token(page: TestResponse) -> str:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', page.text)
    assert found is not None
    return found[1]


def sign_in(client: FlaskClient, password: str = PASSWORD, **fields: str) -> TestResponse:
    token = form_token(client.get(DOOR))
    return client.post(DOOR, data={"password": password, "token": token, **fields})


def cookie_of(client: FlaskClient, name: str = "perch-dashboard") -> str:
    cookie = client.get_cookie(name)
    assert cookie is not None
    return cookie.value


def say(
    store: ConversationStore,
    session_id: str = SESSION,
    turn_id: str = TURN,
    answer: Answer | None = None,
    **fields: object,
) -> str:
    """Run a whole turn; returns the conversation's id."""
    question = a_question(session_id=session_id, turn_id=turn_id, **fields)
    turn = store.begin_turn(question, history_limit=30, lease_s=60)
    assert store.finish_turn(turn, answer or an_answer())
    return turn.conversation_id


# The door


@pytest.mark.parametrize("path", PAGES)
def test_stranger_is_sent_to_the_door(stranger: FlaskClient, path: str) -> None:
    response = stranger.get(path)

    assert response.status_code == 302
    assert response.headers["Location"] == f"{DOOR}?next={path}"


@pytest.mark.parametrize("path", PAGES)
def test_operator_is_let_in(operator: FlaskClient, path: str) -> None:
    response = operator.get(path)

    assert response.status_code == (404 if path.endswith("nowhere") else 200)
    assert response.mimetype == "text/html"
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-store"


def test_wrong_password_stays_outside(stranger: FlaskClient) -> None:
    response = sign_in(stranger, "open onion 123")

    assert response.status_code == 401
    assert "That is not the password." in response.text
    assert stranger.get("/dashboard/").status_code == 302


def test_sign_in_leads_to_the_page_that_was_wanted(stranger: FlaskClient) -> None:
    response = sign_in(stranger, next="/dashboard/conversations?q=refund")

    assert response.headers["Location"] == "/dashboard/conversations?q=refund"


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/chat",
        "/dashboard//x",
        "/dashboard",
        "/dashboardx/",
        "/dashboard/../../evil",
        "/dashboard/..",
        "/dashboard/./x",
        "/dashboard/%2e%2e/evil",
        "/dashboard/%2E./evil",
        "/dashboard/.%2e/evil",
        "/dashboard/%252e%252e/evil",
        "/dashboard/..;/evil",
        "/dashboard/..\\evil",
        "/dashboard/%5c%5cevil",
        "/dashboard/\t/evil",
        "/dashboard/\r\nX: y",
        "/dashboard/%2f%2fevil",
        "/dashboard/x/..?q=1",
        "/dashboard/\uff0e\uff0e/evil",
    ],
)
def test_sign_in_leads_nowhere_else(stranger: FlaskClient, path: str) -> None:
    assert sign_in(stranger, next=path).headers["Location"] == "/dashboard/"


@pytest.mark.parametrize("host", ["evil.test", "evil.test:99", "a@evil.test"])
@pytest.mark.parametrize("is_signed_in", [False, True])
def test_no_redirect_is_made_of_the_requests_host(
    stranger: FlaskClient, operator: FlaskClient, host: str, is_signed_in: bool
) -> None:
    client = operator if is_signed_in else stranger

    for path in ("/dashboard", "/dashboard?span=7d", "/dashboard/", "/"):
        response = client.get(path, headers={"Host": host, "Accept": "text/html"})
        if response.status_code != 200:
            assert response.status_code == 302
            assert response.headers["Location"].startswith("/dashboard/")
            assert response.headers["Cache-Control"] == "no-store"
            assert "evil" not in str(response.headers)


def test_dashboard_without_its_slash_leads_to_the_overview(operator: FlaskClient) -> None:
    assert operator.get("/dashboard").headers["Location"] == "/dashboard/"


def production(make_app: "MakeApp") -> FlaskClient:
    return make_app(
        APP_ENV="production",
        DASHBOARD_PASSWORD=PASSWORD,
        SECRET_KEY=SECRETS[0],
        OPENAI_API_KEY="sk-something",
        CORS_ORIGIN="https://shop.example",
    ).test_client(use_cookies=False)


@pytest.mark.parametrize(
    ("base", "told"), [("http://lan.test:4332", "needs https"), ("https://lan.test", "has expired")]
)
def test_browser_that_drops_the_cookie_is_told_why(
    make_app: "MakeApp", base: str, told: str
) -> None:
    client = production(make_app)
    token = form_token(client.get(DOOR, base_url=base))

    response = client.post(DOOR, base_url=base, data={"password": PASSWORD, "token": token})

    assert response.status_code == 403
    assert told in response.text


def test_door_form_needs_its_token(stranger: FlaskClient) -> None:
    stranger.get(DOOR)

    for token in ("", "0" * 64):
        response = stranger.post(DOOR, data={"password": PASSWORD, "token": token})
        assert response.status_code == 403


def test_door_form_is_of_one_browser(app: Flask, stranger: FlaskClient) -> None:
    token = form_token(stranger.get(DOOR))
    other = app.test_client()
    other.get(DOOR)

    response = other.post(DOOR, data={"password": PASSWORD, "token": token})

    assert response.status_code == 403


def test_no_password_is_no_dashboard(make_app: "MakeApp") -> None:
    client = make_app().test_client()

    for path in ("/dashboard/", DOOR):
        response = client.get(path)
        assert response.status_code == 503
        assert "DASHBOARD_PASSWORD" in response.text


# The cookie


def test_cookie_is_new_at_every_sign_in(stranger: FlaskClient, operator: FlaskClient) -> None:
    sign_in(stranger)

    assert cookie_of(stranger) != cookie_of(operator)


def test_cookie_of_production_is_bound_to_host_and_tls(make_app: "MakeApp") -> None:
    client = make_app(
        APP_ENV="production",
        DASHBOARD_PASSWORD=PASSWORD,
        SECRET_KEY=SECRETS[0],
        OPENAI_API_KEY="sk-something",
        CORS_ORIGIN="https://shop.example",
    ).test_client()
    base = "https://localhost"
    token = form_token(client.get(DOOR, base_url=base))

    response = client.post(DOOR, base_url=base, data={"password": PASSWORD, "token": token})

    cookies = response.headers.getlist("Set-Cookie")
    (cookie,) = [each for each in cookies if each.startswith("__Host-perch-dashboard=")]
    assert {part.strip() for part in cookie.split(";")[1:]} == {
        "Secure",
        "HttpOnly",
        "Path=/",
        "SameSite=Lax",
    }


def test_stolen_cookie_is_refused_in_another_browser(app: Flask, operator: FlaskClient) -> None:
    thief = app.test_client()
    thief.set_cookie("perch-dashboard", cookie_of(operator))

    assert thief.get("/dashboard/", headers={"User-Agent": "curl/8"}).status_code == 302


def test_stolen_cookie_ends_when_its_owner_signs_out(app: Flask, operator: FlaskClient) -> None:
    thief = app.test_client()
    thief.set_cookie("perch-dashboard", cookie_of(operator))
    assert thief.get("/dashboard/").status_code == 200
    token = form_token(operator.get("/dashboard/settings"))

    operator.post("/dashboard/logout", data={"token": token})

    assert operator.get("/dashboard/").status_code == 302
    assert thief.get("/dashboard/").status_code == 302


def test_sign_out_outlives_the_process_that_heard_of_it(
    make_app: "MakeApp", operator: FlaskClient
) -> None:
    cookie = cookie_of(operator)
    other = make_app(DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0]).test_client()
    other.set_cookie("perch-dashboard", cookie)
    before = other.get("/dashboard/").status_code

    operator.post(
        "/dashboard/logout", data={"token": form_token(operator.get("/dashboard/settings"))}
    )

    later = make_app(DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0]).test_client()
    later.set_cookie("perch-dashboard", cookie)
    after = [client.get("/dashboard/").status_code for client in (other, later)]
    assert (before, after) == (200, [302, 302])


@pytest.mark.parametrize("cookie", ["x", "WzEsMiwzLDRd.c2ln", "\N{SNOWMAN}"])
def test_forged_cookie_is_refused(stranger: FlaskClient, cookie: str) -> None:
    stranger.set_cookie("perch-dashboard", cookie)

    assert stranger.get("/dashboard/").status_code == 302


@pytest.mark.parametrize(
    ("secrets", "status"),
    [
        (f"{SECRETS[1]},{SECRETS[0]}", 302),
        (SECRETS[1], 302),
        (f"{SECRETS[0]},{SECRETS[1]}", 200),
    ],
)
def test_rotating_the_first_secret_signs_everybody_out(
    make_app: "MakeApp", operator: FlaskClient, secrets: str, status: int
) -> None:
    later = make_app(DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=secrets).test_client()
    later.set_cookie("perch-dashboard", cookie_of(operator))

    assert later.get("/dashboard/").status_code == status


def test_cookie_opens_no_admin_route(operator: FlaskClient) -> None:
    assert operator.get("/v1/admin/conversations").status_code == 401


def test_admin_key_opens_no_page(stranger: FlaskClient) -> None:
    response = stranger.get("/dashboard/", headers={"x-admin-api-key": ADMIN_KEY})

    assert response.status_code == 302


def test_overview_says_what_only_the_owner_can_mend(app: Flask, operator: FlaskClient) -> None:
    failure = ModelMisconfigured()
    failure.cause = "404, model_not_found: no <model> of this name"
    before = operator.get("/dashboard/").text
    app.extensions["perch"].breaker.fail(failure)

    page = operator.get("/dashboard/").text

    assert "404, model_not_found: no &lt;model&gt; of this name" in page
    assert "The model does not answer" in page
    assert "The model does not answer" not in before


# Forms


@pytest.mark.parametrize("token", ["", "0" * 64, "x"])
@pytest.mark.parametrize("path", ["/dashboard/switch", "/dashboard/logout", "delete"])
def test_form_without_its_token_does_nothing(
    operator: FlaskClient, store: ConversationStore, path: str, token: str
) -> None:
    conversation_id = say(store)
    if path == "delete":
        path = f"/dashboard/conversations/{conversation_id}/delete"

    response = operator.post(path, data={"token": token, "to": "off"})

    assert response.status_code == 403
    assert "This form has expired" in response.text
    assert store.list_conversations(limit=1).total == 1
    assert operator.get("/dashboard/").status_code == 200
    assert not store.read_switches()


def test_form_token_of_another_sign_in_does_nothing(app: Flask, operator: FlaskClient) -> None:
    other = app.test_client()
    sign_in(other)
    token = form_token(other.get("/dashboard/settings"))

    assert operator.post("/dashboard/switch", data={"token": token}).status_code == 403


def test_another_sites_form_is_refused(make_app: "MakeApp") -> None:
    client = make_app(
        DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0], CORS_ORIGIN="https://shop.example"
    ).test_client()
    sign_in(client)
    token = form_token(client.get("/dashboard/settings"))

    response = client.post(
        "/dashboard/switch", data={"token": token}, headers={"Origin": "https://evil.example"}
    )

    assert response.status_code == 403


# What is shown


def test_what_a_visitor_wrote_is_text(operator: FlaskClient, store: ConversationStore) -> None:
    store.set_user(SESSION, "<i>user</i>")
    conversation_id = say(
        store,
        content="<script>alert('q')</script>",
        page=Page('https://a.example/"><script>alert(1)</script>', "<b>title</b>"),
        answer=an_answer(content="<script>alert('a')</script>", model="<u>m</u>"),
    )
    thread = store.read_thread(conversation_id)
    store.rate_message(SESSION, thread.messages[1].id, Feedback("down", "<script>c</script>"))

    for path in (
        "/dashboard/",
        "/dashboard/conversations",
        "/dashboard/conversations?q=%22%3E%3Cscript%3E",
        f"/dashboard/conversations/{conversation_id}",
        f"/dashboard/conversations/{conversation_id}/delete",
    ):
        html = operator.get(path).text
        assert not re.search(r"<script>|<i>user|<b>title|<u>m", html), path


def test_transcript_tells_all_that_is_known(
    operator: FlaskClient, store: ConversationStore
) -> None:
    conversation_id = say(
        store,
        page=Page("https://shop.example/cart", "Your cart"),
        answer=an_answer(
            content="Yes, **gladly**.", status="partial", model="gpt-4.1", latency_ms=2100,
            usage=Usage(1000, 500), first_token_ms=320, finish_reason="stopped",
        ),
    )  # fmt: skip
    thread = store.read_thread(conversation_id)
    store.rate_message(SESSION, thread.messages[1].id, Feedback("down", "Not helpful"))

    html = operator.get(f"/dashboard/conversations/{conversation_id}").text

    for words in (
        "What are your hours?", "<strong>gladly</strong>", "gpt-4.1", "first word after 320 ms",
        "whole after 2.1 s", "+ 500 tokens", "0.0060", "cut short", "disliked", "Not helpful",
        "ended: stopped", "Your cart", "https://shop.example/cart", SESSION,
    ):  # fmt: skip
        assert words in html, words


def test_part_of_a_page_is_sent_only_when_it_changed(
    operator: FlaskClient, store: ConversationStore
) -> None:
    conversation_id = say(store)
    path = f"/dashboard/conversations/{conversation_id}"
    found = re.search(r'hx-get="([^"]+)"', operator.get(path).text)
    assert found is not None
    poll = found[1].replace("&amp;", "&")

    unchanged = operator.get(poll, headers={"HX-Request": "true"})
    say(store, turn_id="turn-0002", content="Anything else?")
    changed = operator.get(poll, headers={"HX-Request": "true"})

    assert unchanged.status_code == 204
    assert changed.status_code == 200
    assert "Anything else?" in changed.text
    assert "<html" not in changed.text


def test_expired_page_is_sent_to_the_door_by_its_script(stranger: FlaskClient) -> None:
    response = stranger.get("/dashboard/conversations", headers={"HX-Request": "true"})

    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == DOOR


def test_wrong_filter_is_told_on_the_page(operator: FlaskClient) -> None:
    response = operator.get("/dashboard/conversations?from=soon")

    assert response.status_code == 200
    assert "from: Not a time" in response.text


def test_wrong_cursor_is_a_page_too(operator: FlaskClient) -> None:
    response = operator.get("/dashboard/conversations?cursor=nonsense")

    assert response.status_code == 400
    assert response.mimetype == "text/html"


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
