"""The operator's pages: who gets in, and what they show."""

import re
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain.conversation import Answer, Feedback, Page, Usage
from app.domain.errors import ModelMisconfigured, ModelUnavailable, StorageUnavailable
from app.factory import Parts, create_app
from app.storage.protocol import ConversationStore
from app.storage.sqlite import SqliteStore
from tests.data import (
    ADMIN_KEY,
    SESSION,
    TURN,
    WIDGET_KEY,
    a_question,
    an_answer,
    some_settings,
)

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


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/dashboard/nowhere", 404, "not_found"),
        ("/dashboard/conversations?cursor=nonsense", 400, "invalid_request"),
        ("/dashboard/conversations/unknown", 404, "conversation_not_found"),
    ],
)
def test_failure_of_a_page_is_counted_and_logged_by_its_code(
    app: Flask, operator: FlaskClient, path: str, status: int, code: str
) -> None:
    with structlog.testing.capture_logs() as logged:
        response = operator.get(path)
    metrics = app.test_client().get("/metrics", headers={"x-admin-api-key": ADMIN_KEY}).text

    assert response.status_code == status
    assert code in response.text
    assert response.headers["X-Request-Id"] in response.text
    assert [line["code"] for line in logged if line["event"] == "request"] == [code]
    assert f'perch_errors_total{{code="{code}"}}' in metrics


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
    found = re.search(r'hx-get="([^"]+/conversations/[^"]+)"', operator.get(path).text)
    assert found is not None
    poll = found[1].replace("&amp;", "&")

    unchanged = operator.get(poll, headers={"HX-Request": "true"})
    say(store, turn_id="turn-0002", content="Anything else?")
    changed = operator.get(poll, headers={"HX-Request": "true"})

    assert unchanged.status_code == 204
    assert changed.status_code == 200
    assert "Anything else?" in changed.text
    assert "<html" not in changed.text


# What leads the eye


def a_failure(**fields: object) -> Answer:
    return an_answer(content="", status="error", **fields)


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", html).split())


def test_list_leads_with_the_question(operator: FlaskClient, store: ConversationStore) -> None:
    session_id = "ps_3f9a2c77b1d0e8a4c6f2910b7d5e3a18"
    say(store, session_id, content="Do you ship\nto Norway?", answer=an_answer(content="*Yes*!"))
    say(store, session_id, "turn-0002", content="How long?", answer=a_failure())
    thread = store.read_session(session_id, limit=10)
    assert thread is not None
    store.rate_message(session_id, thread.messages[1].id, Feedback("down"))

    html = operator.get("/dashboard/conversations").text

    row = text_of(html[html.index('<ol class="rows">') : html.index("</ol>")])
    assert row.startswith("How long?")
    for words in ("Visitor 3f9a2c", "3 messages", "disliked", "failed"):
        assert words in row
    assert session_id not in row
    assert f'title="Session {session_id}"' in html


def test_answer_stands_below_its_question(operator: FlaskClient, store: ConversationStore) -> None:
    say(store, content="Do you ship?", answer=an_answer(content="*Yes*, to `Norway`."))

    html = operator.get("/dashboard/conversations").text

    assert re.search(r"Do you ship\?</a>\s*<p[^>]*>Yes, to Norway\.</p>", html)


def test_search_shows_the_found_words_and_leads_to_them(
    operator: FlaskClient, store: ConversationStore
) -> None:
    conversation_id = say(store, content="Hi", answer=an_answer(content="Made of **Dyneema** <b>."))
    say(store, turn_id="turn-0002", content="Thanks")
    answer_id = store.read_thread(conversation_id).messages[1].id

    html = operator.get("/dashboard/conversations?q=dyneema+made").text
    found = re.search(r'href="(/dashboard/conversations/[^"]+#m-[^"]+)"', html)
    assert found is not None
    shown = operator.get(found[1].replace("&amp;", "&")).text

    assert "<mark>Made</mark> of <mark>Dyneema</mark> &lt;b&gt;." in html
    assert "1 fits" in html
    assert found[1].endswith(f"#m-{answer_id}")
    assert "<strong><mark>Dyneema</mark></strong>" in shown
    assert f'id="m-{answer_id}"' in shown


def test_search_for_words_that_stand_apart_says_that_it_wants_them_together(
    operator: FlaskClient, store: ConversationStore
) -> None:
    say(store, content="A refund?", answer=an_answer(content="The exact steps are these."))

    apart = operator.get('/dashboard/conversations?q="exact+steps"+refund').text
    together = operator.get('/dashboard/conversations?q="exact+steps"+these').text
    one = operator.get("/dashboard/conversations?q=zzzz").text

    assert "No message has all of these words." in apart
    assert "<mark>exact steps</mark>" in together
    assert "all of these words" not in one


@pytest.mark.parametrize("field", ["conversation_id", "session_id", "request_id"])
def test_conversation_is_found_by_each_of_its_ids(
    operator: FlaskClient, store: ConversationStore, field: str
) -> None:
    say(store, "another-session", "turn-0002")
    answer = an_answer(request_id="5f2c0a9d77e1b3c4")
    conversation_id = say(store, SESSION, content="Which one?", answer=answer)
    ids = {
        "conversation_id": conversation_id,
        "session_id": SESSION,
        "request_id": "5f2c0a9d77e1b3c4",
    }

    html = operator.get("/dashboard/conversations", query_string={"q": ids[field]}).text

    assert "1 fits" in html
    assert "Which one?" in html


def test_deletion_asks_by_the_visitors_question(
    operator: FlaskClient, store: ConversationStore
) -> None:
    conversation_id = say(store, content="Do you ship?", answer=an_answer(content="We do."))

    asked = operator.get(f"/dashboard/conversations/{conversation_id}/delete").text

    assert "Do you ship?" in asked


def test_match_of_a_long_conversation_is_on_the_page_that_it_leads_to(
    operator: FlaskClient, store: ConversationStore
) -> None:
    for number in range(70):
        say(store, turn_id=f"turn-{number:04}", content="needle" if number == 1 else "hay")

    html = operator.get("/dashboard/conversations?q=needle").text
    found = re.search(r'href="(/dashboard/conversations/[^"]+)#(m-[^"]+)"', html)
    assert found is not None

    assert f'id="{found[2]}"' in operator.get(found[1].replace("&amp;", "&")).text


def test_overview_shows_what_was_disliked_and_what_failed(
    operator: FlaskClient, store: ConversationStore
) -> None:
    say(store, "disliked", content="Which size?", answer=an_answer(content="Blue."))
    thread = store.read_session("disliked", limit=10)
    assert thread is not None
    store.rate_message("disliked", thread.messages[1].id, Feedback("down", "Not what I asked"))
    say(store, "disliked", "turn-0002", content="Thank you", answer=an_answer(content="Welcome!"))
    failure = a_failure(error_code="model_timeout", request_id="5f2c0a9d77e1b3c4")
    say(store, "failed", content="Is it waterproof?", answer=failure)

    html = operator.get("/dashboard/").text
    text = text_of(html[html.index("Disliked lately") :])

    for words in ("Which size?", "Blue.", "Not what I asked"):
        assert words in text
    assert "Welcome!" not in text
    for words in ("Is it waterproof?", "silent for too long", "model_timeout", "5f2c0a9d77e1b3c4"):
        assert words in text


def test_transcript_tells_why_a_turn_failed(
    operator: FlaskClient, store: ConversationStore
) -> None:
    failure = a_failure(error_code="model_misconfigured", request_id="5f2c0a9d77e1b3c4")
    conversation_id = say(store, answer=failure)

    text = text_of(operator.get(f"/dashboard/conversations/{conversation_id}").text)

    for words in ("refuses the key", "model_misconfigured", "5f2c0a9d77e1b3c4"):
        assert words in text


# The status of the service


def strip(page: TestResponse) -> str:
    found = re.search(r'<div class="strip".*?</div>', page.text, re.DOTALL)
    assert found is not None
    return text_of(found[0])


PAGES_WITH_STATUS = ["/dashboard/", "/dashboard/conversations", "/dashboard/settings"]


@pytest.mark.parametrize("path", PAGES_WITH_STATUS)
def test_page_of_a_sound_service_says_nothing_of_it(operator: FlaskClient, path: str) -> None:
    page = operator.get(path)

    assert strip(page) == ""
    assert re.search(r'hx-swap="outerHTML"></div>', page.text)


@pytest.mark.parametrize("path", PAGES_WITH_STATUS)
def test_trouble_is_told_on_every_page(
    app: Flask, operator: FlaskClient, store: ConversationStore, path: str
) -> None:
    perch = app.extensions["perch"]
    perch.switches.switch(off=True)
    for _ in range(5):
        perch.assistants.default.breaker.fail(ModelUnavailable())
    turn = store.begin_turn(a_question(), history_limit=30, lease_s=60)
    perch.retry_queue.keep(turn, an_answer())

    told = strip(operator.get(path))

    assert "is switched off" in told
    assert "is left alone for a while" in told
    assert "1 answer waits for the store" in told


@pytest.mark.parametrize("path", PAGES_WITH_STATUS)
def test_what_only_the_owner_can_mend_is_told_until_the_model_answers(
    app: Flask, operator: FlaskClient, path: str
) -> None:
    breaker = app.extensions["perch"].assistants.default.breaker
    failure = ModelMisconfigured()
    failure.cause = "insufficient_quota <b>" + "x" * 1000
    breaker.fail(failure)

    told = strip(operator.get(path))
    breaker.succeed()

    assert "The model answers nobody until you mend" in told
    assert "insufficient_quota &lt;b&gt;x" in told
    assert "x" * 300 not in told
    assert strip(operator.get(path)) == ""


def test_store_that_cannot_be_written_is_told(
    make_app: "MakeApp", store: ConversationStore
) -> None:
    class Full:
        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def ping(self) -> None:
            raise StorageUnavailable("The disk is full.")

    settings = some_settings(DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0])
    client = create_app(settings, Parts(store=Full())).test_client()  # type: ignore[arg-type]
    sign_in(client)

    assert "The disk is full." in strip(client.get("/dashboard/"))


def test_open_page_hears_of_changes_only(app: Flask, operator: FlaskClient) -> None:
    found = re.search(r'hx-get="([^"]+/status[^"]+)"', operator.get("/dashboard/").text)
    assert found is not None
    poll = found[1].replace("&amp;", "&")

    unchanged = operator.get(poll, headers={"HX-Request": "true"})
    app.extensions["perch"].switches.switch(off=True)
    changed = operator.get(poll, headers={"HX-Request": "true"})

    assert unchanged.status_code == 204
    assert "is switched off" in strip(changed)


def test_switching_off_asks_first(operator: FlaskClient, store: ConversationStore) -> None:
    settings = operator.get("/dashboard/settings").text
    question = operator.get("/dashboard/switch")

    assert 'value="off"' not in settings
    assert 'href="/dashboard/switch"' in settings
    assert "Switch the assistant off?" in question.text
    assert not store.read_switches()
    operator.post("/dashboard/switch", data={"token": form_token(question), "to": "off"})
    assert store.read_switches() == {"off"}


# One clock


def test_times_are_by_the_operators_clock(operator: FlaskClient, store: ConversationStore) -> None:
    conversation_id = say(store)
    at = datetime.fromtimestamp(
        store.read_thread(conversation_id).messages[0].created_at / 1000, UTC
    )
    path = f"/dashboard/conversations/{conversation_id}"

    before = operator.get(path).text
    operator.set_cookie("perch-zone", "Pacific/Auckland", path="/dashboard")
    after = operator.get(path).text

    local = at.astimezone(ZoneInfo("Pacific/Auckland"))
    assert f"{at:%d %b %Y, %H:%M} UTC" in before
    assert f"{local:%d %b %Y, %H:%M}</time>" in after
    assert "times in Pacific/Auckland" in after


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "../../etc/passwd", "America", "", "\x00", "x" * 500]
)
def test_zone_that_nobody_knows_is_utc(operator: FlaskClient, zone: str) -> None:
    page = operator.get(
        "/dashboard/",
        headers={"Cookie": f"perch-dashboard={cookie_of(operator)}; perch-zone={zone}"},
    )

    assert page.status_code == 200
    assert "times in UTC" in page.text


def test_hours_of_a_chart_are_the_operators(
    operator: FlaskClient, store: ConversationStore
) -> None:
    say(store)
    operator.set_cookie("perch-zone", "Asia/Kathmandu", path="/dashboard")

    html = operator.get("/dashboard/?span=24h").text
    days = operator.get("/dashboard/?span=7d").text

    hour = datetime.now(UTC).replace(minute=0).astimezone(ZoneInfo("Asia/Kathmandu"))
    assert "Hours in Asia/Kathmandu" in html
    assert f"{hour:%Y-%m-%d %H:%M}" in html
    assert hour.minute == 45
    assert "Days in UTC" in days


@pytest.mark.parametrize(
    ("zone", "day", "fits"),
    [
        # 2023-11-14 22:13 UTC is the next day in Auckland.
        ("UTC", "2023-11-14", True),
        ("UTC", "2023-11-15", False),
        ("Pacific/Auckland", "2023-11-15", True),
        ("Pacific/Auckland", "2023-11-14", False),
        ("America/New_York", "2023-11-14", True),
        ("America/New_York", "2023-11-13", False),
    ],
)
def test_since_and_until_are_the_operators_days(
    tmp_path: Path, zone: str, day: str, fits: bool
) -> None:
    with closing(SqliteStore(tmp_path / "x.db", clock_ms=lambda: 1_700_000_000_000)) as store:
        say(store)
        settings = some_settings(DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0])
        client = create_app(settings, Parts(store=store)).test_client()
        sign_in(client)
        client.set_cookie("perch-zone", zone, path="/dashboard")

        html = client.get(f"/dashboard/conversations?from={day}&to={day}").text
        csv = client.get(f"/dashboard/conversations/export?from={day}&to={day}").text

        assert ("What are your hours?" in html) is fits
        assert ("What are your hours?" in csv) is fits
        assert f'value="{day}"' in html


# Money, and changes


def test_costs_have_their_currency(make_app: "MakeApp", store: ConversationStore) -> None:
    client = make_app(
        DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0], MODEL_PRICES="EUR gpt-4.1=2/8"
    ).test_client()
    sign_in(client)
    conversation_id = say(store, answer=an_answer(model="gpt-4.1", usage=Usage(1000, 500)))

    overview = text_of(client.get("/dashboard/").text)
    transcript = client.get(f"/dashboard/conversations/{conversation_id}").text

    assert "0.0060 EUR a conversation" in overview
    assert "<dt>Cost</dt><dd>0.0060\N{NARROW NO-BREAK SPACE}EUR</dd>" in transcript


def test_settings_show_how_the_server_sees_its_operator(make_app: "MakeApp") -> None:
    client = make_app(
        DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0], TRUSTED_PROXY_HOPS="1"
    ).test_client()
    sign_in(client)

    html = client.get("/dashboard/settings", headers={"X-Forwarded-For": "203.0.113.7"}).text

    for words in ("You come from", "203.0.113.7", "TRUSTED_PROXY_HOPS", "SPOOL_PATH"):
        assert words in html


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


@pytest.mark.parametrize("zone", ["", "Pacific/Kiritimati", "Etc/GMT+12", "America/New_York"])
@pytest.mark.parametrize("day", ["0001-01-01", "1970-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_days_in_every_zone(
    operator: FlaskClient, day: str, zone: str
) -> None:
    operator.set_cookie("perch-zone", zone)
    for name in ("from", "to"):
        for path in ("/dashboard/conversations", "/dashboard/conversations/export"):
            assert operator.get(path, query_string={name: day}).status_code == 200
