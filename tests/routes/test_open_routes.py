"""What any page may read, and what it may not."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import MakeApp

OPEN = ("/health", "/ready", "/v1/openapi.json", "/docs", "/widget/chat-widget.js")
CLOSED = ("/v1/admin/conversations", "/v1/session/messages", "/demo/headless")
FOREIGN = {"Origin": "https://elsewhere.example"}


@pytest.mark.parametrize("path", OPEN)
def test_a_page_of_any_origin_may_read(path: str, make_app: "MakeApp") -> None:
    client = make_app(CORS_ORIGIN="https://site.example").test_client()

    answer = client.get(path, headers=FOREIGN)

    assert answer.status_code == 200


@pytest.mark.parametrize("path", CLOSED)
def test_a_foreign_page_is_refused_before_anything_else(path: str, make_app: "MakeApp") -> None:
    client = make_app(CORS_ORIGIN="https://site.example").test_client()

    answer = client.get(path, headers=FOREIGN)

    assert (answer.status_code, answer.json["code"]) == (403, "origin_not_allowed")
