"""The port: a protocol that nobody knows but its own route is spoken everywhere."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from flask import Blueprint, Flask, Response
from marshmallow import EXCLUDE, Schema, fields, post_load

from app.domain.events import SourcesFound, TurnDone, TurnFailed, TurnStarted
from app.protocols.protocol import ChatRequest, Problem
from app.routes.headless import to_question
from app.routes.turn_response import stream_turn
from app.web.contract import contract
from app.web.guards.access import ACCESS, Access, Guard
from tests.data import SESSION, WIDGET_KEY
from tests.fakes import ScriptedModel

if TYPE_CHECKING:
    from tests.conftest import MakeApp


class CallSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    text = fields.String(required=True)
    who = fields.String(required=True)

    @post_load
    def make(self, data: dict[str, str], **_: object) -> ChatRequest:
        return ChatRequest(data["text"], data["who"])


class EchoSchema(Schema):
    heard = fields.String()


class Tags:
    """A protocol in angle brackets."""

    name = "tags"
    media_type = "text/x-tags"
    request = CallSchema
    events = (EchoSchema,)
    failure = EchoSchema
    headers = MappingProxyType[str, str]({})
    heartbeat = b"<!---->"

    def encoder(self) -> "Tags":
        return self

    def problem(self, problem: Problem) -> Mapping[str, object]:
        return {"wrong": [problem.status, problem.code]}

    def started(self, event: TurnStarted) -> bytes:
        return b"<answer>"

    def sources(self, event: SourcesFound) -> bytes:
        return b""

    def tokens(self, tokens: Sequence[str]) -> bytes:
        return "".join(f"<b>{token}</b>" for token in tokens).encode()

    def done(self, event: TurnDone) -> bytes:
        return b"</answer>"

    def failed(self, event: TurnFailed) -> bytes:
        return f"<error {event.error.code}>".encode()


@pytest.fixture
def app(make_app: "MakeApp", monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setitem(ACCESS, "tags", Access(Guard.CHAT, counted=True))
    blueprint = Blueprint("tags", __name__)
    protocol = Tags()

    @blueprint.post("/v1/tags")
    @contract(protocol=protocol)
    def tags(asked: ChatRequest) -> Response:
        """Answer in tags."""
        return stream_turn(to_question(asked), protocol)

    app = make_app()
    app.register_blueprint(blueprint)
    return app


HEADERS = {"x-api-key": WIDGET_KEY}
BODY = {"text": "Hi", "who": SESSION}


def test_answer_is_told_in_the_protocol(app: Flask) -> None:
    response = app.test_client().post("/v1/tags", json=BODY, headers=HEADERS)

    assert response.headers["Content-Type"] == "text/x-tags; charset=utf-8"
    assert response.text == "<answer><b>Hello</b><b> there</b></answer>"


def test_answer_that_breaks_off_ends_in_the_protocol(app: Flask, model: ScriptedModel) -> None:
    model.script("Half", finish_reason=None)

    response = app.test_client().post("/v1/tags", json=BODY, headers=HEADERS)

    assert response.text == "<answer><b>Half</b><error model_interrupted>"


@pytest.mark.parametrize(
    ("body", "headers", "wrong"),
    [
        (BODY, {}, [401, "unauthorized"]),
        ({"text": 7}, HEADERS, [400, "invalid_request"]),
        ("nonsense", HEADERS, [400, "invalid_request"]),
    ],
)
def test_failure_has_the_protocols_shape(
    app: Flask, body: object, headers: dict[str, str], wrong: list[object]
) -> None:
    response = app.test_client().post("/v1/tags", json=body, headers=headers)

    assert response.json == {"wrong": wrong}
    assert response.status_code == wrong[0]


def test_document_tells_what_the_protocol_sends(app: Flask) -> None:
    document = app.test_client().get("/v1/openapi.json").json
    assert document is not None

    [content] = document["paths"]["/v1/tags"]["post"]["responses"]["200"]["content"].items()

    assert content == (
        "text/x-tags",
        {"schema": {"oneOf": [{"$ref": "#/components/schemas/Echo"}]}},
    )
