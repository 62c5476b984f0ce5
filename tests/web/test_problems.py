"""Every failure as a response."""

import logging
from types import SimpleNamespace

import pytest
from flask import Flask, abort
from werkzeug.exceptions import HTTPException, TooManyRequests
from werkzeug.routing import RequestRedirect
from werkzeug.test import TestResponse

from app.domain import errors
from app.observability import request_log
from app.web import problems
from tests.data import some_settings


def an_app(**variables: str) -> Flask:
    flask_app = Flask(__name__)
    flask_app.extensions["perch"] = SimpleNamespace(settings=some_settings(**variables))
    request_log.register(flask_app)
    problems.register(flask_app)
    return flask_app


def answer(failure: Exception, **variables: str) -> TestResponse:
    """The response to a request that fails like this."""
    flask_app = an_app(**variables)

    @flask_app.get("/")
    def fail() -> None:
        raise failure

    return flask_app.test_client().get("/", headers={"X-Request-Id": "request-1"})


@pytest.mark.parametrize(
    ("failure", "status", "text", "code"),
    [
        (errors.InvalidRequest(), 400, "Invalid request payload", "invalid_request"),
        (errors.LengthRequired(), 411, "Content-Length is required", "length_required"),
        (errors.PayloadTooLarge(), 413, "Request body is too large", "payload_too_large"),
        (errors.Unauthorized(), 401, "Unauthorized", "unauthorized"),
        (errors.OriginNotAllowed(), 403, "Origin not allowed", "origin_not_allowed"),
        (errors.ConversationNotFound(), 404, "Conversation not found", "conversation_not_found"),
        (errors.TooManyRequests(), 429, "Too many requests", "too_many_requests"),
        (errors.ModelTimeout(), 502, "The assistant took too long to answer", "model_timeout"),
        (
            errors.StorageUnavailable(),
            503,
            "Conversations are not available right now",
            "storage_unavailable",
        ),
        (errors.Overloaded(), 503, "The assistant is very busy right now", "overloaded"),
        (errors.ServiceError(), 500, "Internal server error", "internal_error"),
        (errors.NotConfigured("X is not configured"), 503, "X is not configured", "not_configured"),
    ],
)
def test_failure_is_its_status_text_and_code(
    failure: errors.ServiceError, status: int, text: str, code: str
) -> None:
    response = answer(failure)

    assert response.status_code == status
    assert response.json == {"error": text, "code": code, "requestId": "request-1"}


@pytest.mark.parametrize(
    ("wait_s", "told"),
    [(None, None), (0.0, "1"), (0.2, "1"), (1.0, "1"), (1.1, "2"), (59.01, "60")],
)
def test_retry_after_is_whole_seconds_and_at_least_one(
    wait_s: float | None, told: str | None
) -> None:
    response = answer(errors.TooManyRequests(retry_after_s=wait_s))

    assert response.headers.get("Retry-After") == told


@pytest.mark.parametrize("app_env", ["development", "test"])
def test_faults_are_told_by_field_everywhere(app_env: str) -> None:
    failure = errors.InvalidRequest(details={"message": ["Shorter than minimum length 1."]})

    response = answer(failure, APP_ENV=app_env)

    assert response.json["details"] == {"message": ["Shorter than minimum length 1."]}


def test_faults_are_few_and_short() -> None:
    failure = errors.InvalidRequest(
        details={f"field-{number}": ["x" * 1000] * 100 for number in range(100)}
    )

    response = answer(failure)

    assert len(response.json["details"]) == 20
    assert all(
        len(sentences) == 3 and all(len(each) <= 200 for each in sentences)
        for sentences in response.json["details"].values()
    )


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid_request"),
        (404, "not_found"),
        (405, "method_not_allowed"),
        (411, "length_required"),
        (413, "payload_too_large"),
        (415, "unsupported_media_type"),
        (431, "headers_too_large"),
        (418, "invalid_request"),
    ],
)
def test_what_the_http_layer_finds_has_our_shape(status: int, code: str) -> None:
    flask_app = an_app()
    flask_app.get("/")(lambda: abort(status))

    response = flask_app.test_client().get("/")

    assert response.status_code == status
    assert response.mimetype == "application/json"
    assert response.json["code"] == code


def test_whatever_else_it_finds_is_ours_to_mend() -> None:
    flask_app = an_app()
    flask_app.get("/")(lambda: abort(502))

    response = flask_app.test_client().get("/")

    assert (response.status_code, response.json["code"]) == (500, "internal_error")


def test_allowed_methods_are_told() -> None:
    flask_app = an_app()
    flask_app.post("/")(lambda: "ok")

    response = flask_app.test_client().get("/")

    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


def test_vendors_error_stays_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    failure = errors.ModelUnavailable()
    failure.__cause__ = ConnectionError("vendor said sk-123")

    with caplog.at_level(logging.WARNING):
        response = answer(failure)

    assert "vendor" not in response.text
    assert "vendor said" in caplog.text


def test_what_a_visitor_did_wrong_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        answer(errors.InvalidRequest())

    assert caplog.text == ""


def test_crash_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    response = answer(ZeroDivisionError("secret"))

    assert response.status_code == 500
    assert response.json["error"] == "Internal server error"
    assert "Traceback" in caplog.text


def test_vendors_rate_limit_error_is_no_crash() -> None:
    failure: HTTPException = TooManyRequests(retry_after=7)

    response = answer(failure)

    assert response.status_code == 429
    assert response.headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("new_url", "location"),
    [
        ("https://evil.test/dashboard/?q=1", "/dashboard/?q=1"),
        ("https://evil.test//other.test/", "/other.test/"),
        ("https://evil.test", "/"),
    ],
)
def test_redirect_of_the_router_names_no_host(new_url: str, location: str) -> None:
    response = problems.lead_on(RequestRedirect(new_url))

    assert response.headers["Location"] == location
    assert response.headers["Cache-Control"] == "no-store"
