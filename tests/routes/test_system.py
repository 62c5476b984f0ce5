"""The service about itself."""

from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient

from app.domain.errors import ModelMisconfigured, StorageUnavailable
from app.domain.knowledge import Document, Section
from app.storage.protocol import ConversationStore

if TYPE_CHECKING:
    from tests.conftest import MakeApp


def test_health_touches_nothing(client: FlaskClient, store: ConversationStore) -> None:
    store.close()

    response = client.get("/health")

    assert response.status_code == 200
    assert response.json == {"status": "ok"}
    assert response.headers["Cache-Control"] == "no-store"


def test_ready_tells_what_serves(client: FlaskClient) -> None:
    response = client.get("/ready")

    assert response.status_code == 200
    assert response.json == {"status": "ready", "store": "ok", "model": "perch-demo"}
    assert response.headers["Cache-Control"] == "no-store"


def test_ready_names_a_store_that_is_down(
    make_app: "MakeApp", store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise StorageUnavailable("the disk is full")

    monkeypatch.setattr(type(store), "ping", fail)

    response = make_app().test_client().get("/ready")

    assert response.status_code == 503
    assert response.json == {
        "status": "not_ready",
        "store": "the disk is full",
        "model": "perch-demo",
    }


def test_ready_says_that_pages_are_not_indexed_yet(
    client: FlaskClient, store: ConversationStore
) -> None:
    page = Document("default", "text:a", "text", "Hours", [Section("", "Nine to five.")], hash="h")
    store.documents.put_documents("default", [page])

    response = client.get("/ready")

    assert response.status_code == 200
    assert response.json == {
        "status": "ready",
        "store": "ok",
        "model": "perch-demo",
        "knowledge": "building",
    }


def test_ready_says_that_the_owner_must_act_but_not_what_the_provider_says(
    make_app: "MakeApp",
) -> None:
    flask_app = make_app()
    failure = ModelMisconfigured()
    failure.cause = "401, invalid_api_key: no such key in org-1"
    flask_app.extensions["perch"].assistants.default.breaker.fail(failure)

    response = flask_app.test_client().get("/ready")

    assert response.status_code == 200
    assert response.json == {
        "status": "ready",
        "store": "ok",
        "model": "perch-demo",
        "trouble": "The model's provider refuses every request until the owner changes something",
    }


def test_ready_says_when_the_process_goes_down(make_app: "MakeApp") -> None:
    flask_app = make_app()
    flask_app.extensions["perch"].turns.drain(patience_s=0)

    response = flask_app.test_client().get("/ready")

    assert (response.status_code, response.json["status"]) == (503, "draining")


@pytest.mark.parametrize("path", ["/docs", "/v1/openapi.json"])
def test_what_says_a_made_up_host_back_is_kept_by_nobody(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers={"Host": "evil.test"})

    assert "http://evil.test" in response.text
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("variables", "accept", "status"),
    [
        ({}, "text/html,*/*", 200),
        ({}, "*/*", 200),
        ({"DASHBOARD_PASSWORD": "open sesame 123"}, "*/*", 200),
        ({"DASHBOARD_PASSWORD": "open sesame 123"}, "text/html,*/*", 302),
    ],
)
def test_the_root_answers(
    make_app: "MakeApp", variables: dict[str, str], accept: str, status: int
) -> None:
    response = make_app(**variables).test_client().get("/", headers={"Accept": accept})

    assert response.status_code == status
    if status == 200:
        assert response.json == {"service": "Perch", "docs": "/docs"}
    else:
        assert response.headers["Location"] == "/dashboard/"


def test_docs_is_a_page_of_our_own_assets(client: FlaskClient) -> None:
    response = client.get("/docs")

    assert response.status_code == 200
    assert response.mimetype == "text/html"
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert "/v1/chat/stream" in response.text
    for foreign in ("http://cdn", "https://cdn", "<style>", "onclick="):
        assert foreign not in response.text


def test_host_of_a_stranger_is_no_markup(client: FlaskClient) -> None:
    response = client.get("/docs", headers={"Host": 'x"><script>alert(1)</script>'})

    assert "<script>alert(1)" not in response.text


@pytest.mark.parametrize("path", ["/demo/headless", "/demo/widget"])
@pytest.mark.parametrize(("env", "status"), [("development", 200), ("test", 404)])
def test_demo_pages_are_for_development(
    make_app: "MakeApp", path: str, env: str, status: int
) -> None:
    response = make_app(APP_ENV=env).test_client().get(path)

    assert response.status_code == status
    if status == 200:
        assert response.headers["Cache-Control"] == "no-store"
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
