"""What all pages of the dashboard do alike."""

import re

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient

from app.domain.conversation import Feedback, Page
from app.storage.protocol import ConversationStore
from tests.dashboard.door import DOOR, PAGES
from tests.data import ADMIN_KEY, SESSION, an_answer, say


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


def test_expired_page_is_sent_to_the_door_by_its_script(stranger: FlaskClient) -> None:
    response = stranger.get("/dashboard/conversations", headers={"HX-Request": "true"})

    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == DOOR


def test_wrong_cursor_is_a_page_too(operator: FlaskClient) -> None:
    response = operator.get("/dashboard/conversations?cursor=nonsense")

    assert response.status_code == 400
    assert response.mimetype == "text/html"
