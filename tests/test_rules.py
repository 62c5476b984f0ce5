"""Rules that every route, every failure and every answer keeps."""

import inspect
import json
from collections.abc import Callable, Iterator
from types import CodeType
from typing import TYPE_CHECKING, Any

import pytest
from flask import Blueprint, Flask
from marshmallow import missing
from werkzeug.test import TestResponse

from app.domain import errors
from app.domain.conversation import Question
from app.routes.turn_response import stream_turn
from app.storage.protocol import ConversationStore
from app.turns.service import TurnService
from app.web.guards import access
from app.web.guards.access import ACCESS, CLOSED, Access, Guard, access_of
from app.web.problems import STATUSES, status_of
from app.web.schemas.base import InputSchema
from tests.data import ADMIN_KEY, SESSION, WIDGET_KEY

if TYPE_CHECKING:
    from tests.conftest import MakeApp

ORIGIN = "https://www.example.com"
# Pages for people: they have no contract, and answer their reader in kind.
PAGES = {"dashboard", "dashboard_sign_in", "demo", "static"}


def subclasses(kind: type[errors.ServiceError]) -> Iterator[type[errors.ServiceError]]:
    for each in kind.__subclasses__():
        if each.__module__ == errors.__name__:  # an adapter's own kinds stay inside it
            yield each
            yield from subclasses(each)


FAILURES = sorted(subclasses(errors.ServiceError), key=lambda kind: kind.__name__)


@pytest.fixture
def flask_app(make_app: "MakeApp") -> Flask:
    return make_app(CORS_ORIGIN=ORIGIN)


def audience(endpoint: str) -> str:
    return endpoint.partition(".")[0]


def test_every_blueprint_has_its_row_and_every_row_a_route(flask_app: Flask) -> None:
    endpoints = {*flask_app.view_functions}

    assert set(flask_app.blueprints) <= set(ACCESS)
    assert set(ACCESS) <= endpoints | set(flask_app.blueprints)
    assert [name for name in endpoints if access_of(name) is CLOSED] == []


def test_route_without_a_row_is_closed_and_counted(make_app: "MakeApp") -> None:
    app = make_app(RATE_LIMIT_MAX_REQUESTS="2")
    app.register_blueprint(a_blueprint(lambda: "secret"))

    statuses = [app.test_client().get("/forgotten").status_code for _ in range(3)]

    assert statuses == [401, 401, 429]


def a_blueprint(view: Callable[[], Any]) -> Blueprint:
    blueprint = Blueprint("forgotten", __name__)
    blueprint.get("/forgotten", endpoint="route")(view)
    return blueprint


def test_every_route_that_can_begin_a_turn_is_counted(flask_app: Flask) -> None:
    beginning = those_that_begin_turns(flask_app)

    assert len(beginning) > 1
    assert [endpoint for endpoint in beginning if not access_of(endpoint).counted] == []


def test_route_that_begins_a_turn_without_being_counted_is_found_and_begins_none(
    flask_app: Flask, store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = Question(session_id=SESSION, turn_id="turn-000", content="Hi")
    flask_app.register_blueprint(a_blueprint(lambda: stream_turn(question)))
    monkeypatch.setitem(access.ACCESS, "forgotten", Access(Guard.ANYONE))

    response = flask_app.test_client().get("/forgotten")

    assert response.status_code == 500
    assert store.read_session(SESSION, limit=1, cursor=None) is None
    assert "forgotten.route" in those_that_begin_turns(flask_app)
    assert not access_of("forgotten.route").counted


def those_that_begin_turns(flask_app: Flask) -> list[str]:
    """Return the endpoints whose code leads to ``TurnService.begin``."""
    return [name for name, view in flask_app.view_functions.items() if leads_to_a_turn(view, set())]


def leads_to_a_turn(function: Any, seen: set[Any]) -> bool:
    """Whether a function, or any of ours that it names, asks the turns to begin one."""
    function = inspect.unwrap(function)
    if not inspect.isfunction(function) or function in seen:
        return False
    seen.add(function)
    names = set(names_in(function.__code__))
    if {"turns", TurnService.begin.__name__} <= names:
        return True
    known = [function.__globals__.get(name) for name in names]
    known += [cell.cell_contents for cell in function.__closure__ or ()]
    for module in filter(inspect.ismodule, [*known]):
        known += [getattr(module, name, None) for name in names]
    for kind in filter(inspect.isclass, [*known]):
        known += vars(kind).values()
    ours = ("app.", __name__)
    known = [each for each in known if str(getattr(each, "__module__", "")).startswith(ours)]
    return any(leads_to_a_turn(each, seen) for each in known)


def names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from names_in(each)


def test_every_route_of_the_api_has_a_contract(flask_app: Flask) -> None:
    without = [
        rule.endpoint
        for rule in flask_app.url_map.iter_rules()
        if audience(rule.endpoint) not in PAGES
        and not hasattr(flask_app.view_functions[rule.endpoint], "contract")
    ]

    assert without == []


def test_every_contract_has_a_sentence_for_a_stranger(flask_app: Flask) -> None:
    for endpoint, view in flask_app.view_functions.items():
        if hasattr(view, "contract"):
            summary = (view.__doc__ or "").strip().partition("\n")[0]
            assert summary.endswith((".", ")")), endpoint


def test_every_view_has_a_parameter_for_whatever_its_contract_lets_in(flask_app: Flask) -> None:
    seen = 0
    for rule in flask_app.url_map.iter_rules():
        view = flask_app.view_functions[rule.endpoint]
        promise = getattr(view, "contract", None)
        for schema in (promise.body, promise.query) if promise else ():
            if schema is None or schema.makes is not dict or type(schema).make != InputSchema.make:
                continue
            taken = inspect.signature(view).parameters
            for name, field in schema.fields.items():
                may_lack = not field.required and field.load_default is missing
                assert name not in rule.arguments, (rule.endpoint, name)
                assert may_lack == (taken[name].default is not inspect.Parameter.empty), name
                seen += 1

    assert seen > 30


@pytest.mark.parametrize("failure", FAILURES, ids=lambda kind: kind.__name__)
def test_every_failure_has_a_status_of_its_family(failure: type[errors.ServiceError]) -> None:
    rows = [kind for kind, _ in STATUSES if issubclass(failure, kind)]

    assert rows[0] is not errors.ServiceError, "it would be a 500"
    assert status_of(failure()) == dict(STATUSES)[rows[0]]


def test_every_failure_has_a_code_of_its_own() -> None:
    codes = [failure.code for failure in [errors.ServiceError, *FAILURES]]

    assert sorted(codes) == sorted(set(codes))
    assert all(code.replace("_", "").islower() for code in codes)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda kind: kind.__name__)
def test_every_failure_has_a_sentence_without_vendors(failure: type[errors.ServiceError]) -> None:
    text = str(failure())

    assert text[:1].isupper()
    assert not text.endswith(".")
    assert not {"openai", "convex", "sqlite", "redis"} & set(text.lower().split())


def test_no_row_of_the_status_table_hides_another() -> None:
    kinds = [kind for kind, _ in STATUSES]

    for number, kind in enumerate(kinds):
        assert not any(issubclass(kind, before) for before in kinds[:number]), kind


def is_problem(response: TestResponse) -> bool:
    """Whether an answer has the one shape that every failure has, or its protocol's own."""
    body = json.loads(response.data)
    if isinstance(body["error"], dict):  # OpenAI's
        assert set(body["error"]) == {"message", "type", "param", "code"}
        body = {**body, "error": body["error"]["message"], "code": body["error"]["code"]}
    assert body.pop("message", body["error"]) == body["error"]  # n8n's
    assert set(body) <= {"error", "code", "requestId", "details"}
    assert response.mimetype == "application/json"
    assert body["requestId"] == response.headers["X-Request-Id"]
    return bool(body["error"] and body["code"])


def requests(flask_app: Flask) -> Iterator[tuple[str, str]]:
    """A method and a path for every route of the API."""
    for rule in flask_app.url_map.iter_rules():
        if audience(rule.endpoint) in PAGES:
            continue
        path = rule.build(dict.fromkeys(rule.arguments, "unknown-000"))[1]  # type: ignore[index]
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            yield method, path


def failures(flask_app: Flask) -> Iterator[TestResponse]:
    """An answer of every route to every caller who gets it wrong."""
    client = flask_app.test_client()
    keys = {"x-api-key": WIDGET_KEY, "x-admin-api-key": ADMIN_KEY}
    for method, path in requests(flask_app):
        for headers in ({}, {"x-api-key": "wrong", "x-admin-api-key": "wrong"}, keys):
            headers = {"Origin": ORIGIN, **headers}
            yield client.open(path, method=method, headers=headers)
            yield client.open(path, method=method, headers=headers, json={"message": 7})
            yield client.open(f"{path}?limit=x&cursor=x", method=method, headers=headers)
            yield client.open(path, method="PUT", headers=headers)
            yield client.open(f"{path.rstrip('/')}/nowhere", method=method, headers=headers)
            yield client.open(path.replace("/v1/", "/v1//"), method=method, headers=headers)


@pytest.mark.slow
def test_every_failure_of_every_route_is_json_that_its_page_can_read(flask_app: Flask) -> None:
    seen: set[int] = set()
    for response in failures(flask_app):
        asked = f"{response.request.method} {response.request.full_path}"
        assert not 300 <= response.status_code < 400, asked
        if response.status_code >= 400:
            assert is_problem(response), asked
            assert response.headers.getlist("Access-Control-Allow-Origin") == [ORIGIN], asked
            assert response.status_code < 500, asked
            seen.add(response.status_code)

    assert {400, 401, 404, 405, 415} <= seen


@pytest.mark.slow
def test_every_answer_carries_the_headers_of_the_contract(flask_app: Flask) -> None:
    client = flask_app.test_client()
    for method, path in requests(flask_app):
        headers = client.open(path, method=method).headers

        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["X-Frame-Options"] == "DENY", path
        assert headers["Referrer-Policy"] == "no-referrer", path
        for feature in ("camera", "microphone", "geolocation"):
            assert f"{feature}=()" in headers["Permissions-Policy"], path
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
        assert headers["X-Request-Id"], path
        assert "Strict-Transport-Security" not in headers, path
        shared = path.startswith("/widget/") and "unknown" not in path
        expected = "cross-origin" if shared else "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == expected, path
        assert len(headers.getlist("Access-Control-Allow-Origin")) <= 1, path


@pytest.mark.parametrize("path", ["/chat", "/v1/chat", "/v1/chat/stream", "/health", "/nowhere"])
def test_preflights_need_no_key(flask_app: Flask, path: str) -> None:
    response = flask_app.test_client().options(
        path,
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type, x-api-key",
        },
    )

    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert response.headers["Access-Control-Max-Age"] == "7200"
    allowed = response.headers["Access-Control-Allow-Methods"].replace(" ", "").split(",")
    assert sorted(allowed) == ["DELETE", "GET", "OPTIONS", "POST"]
    assert "x-api-key" in response.headers["Access-Control-Allow-Headers"].lower()


def test_crash_is_a_500_in_our_shape(flask_app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    def crash() -> None:
        raise ZeroDivisionError("secret")

    flask_app.view_functions["system.health"] = crash

    response = flask_app.test_client().get("/health", headers={"Origin": ORIGIN})

    assert response.status_code == 500
    assert is_problem(response)
    assert response.json["error"] == "Internal server error"
    assert "secret" not in response.text
    assert "ZeroDivisionError: secret" in caplog.text
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
