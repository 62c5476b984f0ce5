"""The original's name for the stream; what both share is tested with the headless API."""

import json
from typing import TYPE_CHECKING

import pytest

from tests.data import SESSION, WIDGET_KEY

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.conftest import Ask


def test_original_client_chats_unchanged(client: "FlaskClient") -> None:
    body = {"sessionId": SESSION, "message": "Hello", "locale": "de"}  # it sends more than we know

    response = client.post("/chat", json=body, headers={"x-widget-api-key": WIDGET_KEY})
    lines = [json.loads(line) for line in response.text.split("\n") if line.strip()]

    assert response.status_code == 200
    assert [line["type"] for line in lines] == ["start", "token", "token", "done"]
    assert "".join(line["token"] for line in lines[1:3]) == lines[3]["message"] == "Hello there"
    assert lines[0]["conversationId"] == lines[3]["conversationId"]


def test_both_names_lead_to_one_conversation(ask: "Ask") -> None:
    first = json.loads(ask("Hi", "/chat").text.splitlines()[0])
    second = ask("And?", "/v1/chat").json

    assert second["conversationId"] == first["conversationId"]


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_only_a_post_chats(client: "FlaskClient", method: str) -> None:
    response = getattr(client, method)("/chat", headers={"x-api-key": WIDGET_KEY})

    assert response.status_code == 405
    assert response.json["code"] == "method_not_allowed"
    assert "POST" in response.headers["Allow"]
