"""The API's description: whole, and of this very service."""

from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient

if TYPE_CHECKING:
    from tests.conftest import MakeApp


@pytest.fixture
def document(client: FlaskClient) -> dict[str, object]:
    response = client.get("/v1/openapi.json")
    assert response.status_code == 200
    document: dict[str, object] = response.json
    return document


def test_document_has_every_route_with_a_contract(make_app: "MakeApp") -> None:
    flask_app = make_app()
    document = flask_app.test_client().get("/v1/openapi.json").json

    described = {
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    }

    assert document["openapi"].startswith("3.1")
    assert described == promised(flask_app)


def promised(flask_app: Flask) -> set[str]:
    return {
        endpoint for endpoint, view in flask_app.view_functions.items() if hasattr(view, "contract")
    }


def test_document_has_every_path_of_the_original(
    document: dict[str, dict[str, object]],
) -> None:
    originals = {
        "/health",
        "/widget/chat-widget.js",
        "/chat",
        "/v1/chat",
        "/v1/chat/stream",
        "/v1/admin/conversations",
        "/v1/admin/conversations/{conversationId}",
        "/v1/openapi.json",
    }

    assert originals <= set(document["paths"])


def test_document_names_our_own_address(client: FlaskClient) -> None:
    document = client.get("/v1/openapi.json", headers={"Host": "chat.example.com"}).json

    assert document["servers"] == [{"url": "http://chat.example.com"}]


def test_public_url_wins_over_the_requests_host(make_app: "MakeApp") -> None:
    client = make_app(PUBLIC_URL="https://www.example.com/perch").test_client()

    document = client.get("/v1/openapi.json", headers={"Host": "evil.test"})

    assert document.json["servers"] == [{"url": "https://www.example.com/perch"}]
    assert "evil" not in document.text


def test_every_reference_of_the_document_leads_somewhere(
    document: dict[str, dict[str, dict[str, object]]],
) -> None:
    def references(value: object) -> set[str]:
        if isinstance(value, dict):
            found = {value["$ref"]} if "$ref" in value else set()
            return found.union(*(references(each) for each in value.values()))
        if isinstance(value, list):
            return set().union(*(references(each) for each in value))
        return set()

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= known
