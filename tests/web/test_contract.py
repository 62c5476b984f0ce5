"""What a route promises, kept: strict JSON in, its schema out."""

import json
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import EXCLUDE, Schema, fields

from app.domain.errors import InvalidRequest, MediaTypeUnsupported, ServiceError
from app.observability import request_log
from app.web import problems
from app.web.contract import contract, read_json
from app.web.rates import WaitingBodies
from app.web.schemas.chat import ChatSchema
from tests.data import some_settings


class AskSchema(Schema):
    text = fields.String(required=True)


class ToldSchema(Schema):
    shout = fields.String()


class PageSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    limit = fields.Integer(load_default=10)


class LenientSchema(AskSchema):
    class Meta:
        unknown = EXCLUDE


def an_app(**variables: str) -> Flask:
    """An application of nothing but contracts and problems."""
    flask_app = Flask(__name__)
    settings = some_settings(**{"APP_ENV": "development", **variables})
    flask_app.extensions["perch"] = SimpleNamespace(
        settings=settings, limits=SimpleNamespace(bodies=WaitingBodies())
    )
    flask_app.config["MAX_CONTENT_LENGTH"] = 200_000
    request_log.register(flask_app)
    problems.register(flask_app)
    return flask_app


@pytest.fixture(scope="module")
def flask_app() -> Flask:
    flask_app = an_app()

    @flask_app.post("/ask")
    @contract(body=LenientSchema, answer=ToldSchema, status=201)
    def ask(text: str) -> dict[str, str]:
        return {"shout": text.upper(), "secret": "not in the schema"}

    @flask_app.get("/page/<name>")
    @contract(query=PageSchema)
    def page(limit: int, name: str) -> dict[str, object]:
        return {"limit": limit, "name": name}

    @flask_app.get("/as-it-is")
    @contract(answer=ToldSchema)
    def as_it_is() -> Response:
        return Response("as it is")

    return flask_app


@pytest.fixture
def client(flask_app: Flask) -> FlaskClient:
    return flask_app.test_client()


def read(flask_app: Flask, body: bytes, **headers: Any) -> dict[str, Any]:
    request = {"method": "POST", "content_type": "application/json", "data": body, **headers}
    with flask_app.test_request_context("/", **request):
        return read_json()


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b' {"a": [1, 2.5, true, null, {"b": "c"}]} ',
        '{"text": "Grüße 👋"}'.encode(),
        rb'{"text": "\ud83d\udc4b"}',
        b'{"a": ' + b"[" * 30 + b"]" * 30 + b"}",
        b'{"a": {"k": 1}, "b": {"k": 1}}',
    ],
)
def test_objects_of_json_are_read(flask_app: Flask, body: bytes) -> None:
    assert read(flask_app, body) == json.loads(body)


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b'"text"',
        b"7",
        b"{",
        b"{}{}",
        b'{"a": 1,}',
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"b": {"a": 1, "a": 2}}',
        b'{"a": "\\u0000"}',
        b'{"a": "\x00"}',
        b'{"\\u0000": 1}',
        b'{"a": "\\ud83d"}',
        b'{"\\udc4b": 1}',
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"a": ' + b"[" * 100_000,
        b'{"a": ' + b"9" * 10_000 + b"}",
    ],
    ids=lambda body: repr(body[:30]),
)
def test_anything_else_is_refused_with_a_reason(flask_app: Flask, body: bytes) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(flask_app, body)

    assert str(refused.value) == "Invalid request payload"
    assert list(refused.value.details or ()) == ["body"]


@pytest.mark.parametrize(
    "body", [b'{"secret": 1, "secret": 2}', b'{"a": secret}', b'{"secret', b'{"secret": 1} secret']
)
def test_reason_does_not_repeat_what_was_sent(flask_app: Flask, body: bytes) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(flask_app, body)

    assert "secret" not in repr(refused.value.details)


def test_others_get_their_turn_while_many_values_are_looked_at(flask_app: Flask) -> None:
    turns = []
    greenlet = gevent.spawn(lambda: turns.append(None))

    read(flask_app, b'{"a": [' + b"[]," * 20_000 + b"0]}")

    assert greenlet.dead
    assert len(turns) == 1


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_body_must_be_declared_as_json(flask_app: Flask, content_type: str) -> None:
    with pytest.raises(MediaTypeUnsupported):
        read(flask_app, b"{}", content_type=content_type)


def test_parameters_of_the_media_type_do_no_harm(flask_app: Flask) -> None:
    assert read(flask_app, b"{}", content_type="Application/JSON; charset=utf-8") == {}


bodies = (
    st.binary(max_size=100)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
        max_leaves=10,
    ).map(lambda value: json.dumps(value).encode())
    | st.text(st.sampled_from('{}[]":,\\u0d8a1.e- \n'), max_size=60).map(str.encode)
)


@settings(max_examples=50)
@given(body=bodies)
def test_no_bytes_crash_the_reading(flask_app: Flask, body: bytes) -> None:
    try:
        read_body = read(flask_app, body)
    except InvalidRequest:
        return

    assert json.loads(body) == read_body
    json.dumps(read_body, allow_nan=True).encode("ascii")
    ChatSchema().validate(read_body)


def test_body_is_loaded_and_the_answer_dumped(client: FlaskClient) -> None:
    response = client.post("/ask", json={"text": "hi", "unknown": 1})

    assert response.status_code == 201
    assert response.json == {"shout": "HI"}


def test_wrong_body_names_its_fields(client: FlaskClient) -> None:
    response = client.post("/ask", json={"text": 7})

    assert response.status_code == 400
    assert response.json["error"] == "Invalid request payload"
    assert response.json["details"] == {"text": ["Not a valid string."]}


def test_query_and_path_come_by_name(client: FlaskClient) -> None:
    assert client.get("/page/one").json == {"limit": 10, "name": "one"}
    assert client.get("/page/one?limit=3&other=x").json == {"limit": 3, "name": "one"}


def test_wrong_query_names_its_fields(client: FlaskClient) -> None:
    response = client.get("/page/one?limit=many")

    assert response.status_code == 400
    assert response.json["error"] == "Invalid query parameters"
    assert response.json["details"] == {"limit": ["Not a valid integer."]}


def test_response_of_the_views_own_passes_as_it_is(client: FlaskClient) -> None:
    assert client.get("/as-it-is").data == b"as it is"


def test_failures_are_named_in_the_promise() -> None:
    @contract(body=AskSchema, raises=(ServiceError,))
    def view(_: Any) -> None: ...

    assert view.contract.raises == (ServiceError, InvalidRequest)  # type: ignore[attr-defined]
