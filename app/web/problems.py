"""Every failure as a response: the only table from error to status."""

import logging
import math
from collections.abc import Mapping
from itertools import islice
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, jsonify, redirect
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from app.domain import errors
from app.protocols.protocol import Problem, problem_body
from app.web.contract import protocol_of
from app.web.current_request import current_request

log = logging.getLogger(__name__)

# The first row that fits decides, so families stand below their members.
STATUSES: tuple[tuple[type[errors.ServiceError], int], ...] = (
    (errors.LengthRequired, 411),
    (errors.PayloadTooLarge, 413),
    (errors.MediaTypeUnsupported, 415),
    (errors.RequestTimeout, 408),
    (errors.InvalidRequest, 400),
    (errors.Unauthorized, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.TooManyRequests, 429),
    (errors.ModelPaused, 503),
    (errors.ModelFailure, 502),
    (errors.StorageUnavailable, 503),
    (errors.Overloaded, 503),
    (errors.SwitchedOff, 503),
    (errors.NotConfigured, 503),
    (errors.ServiceError, 500),
)

# Failures that the HTTP layer finds by itself.
_HTTP_CODES = {
    400: "invalid_request",
    404: "not_found",
    405: "method_not_allowed",
    411: "length_required",
    413: "payload_too_large",
    415: "unsupported_media_type",
    431: "headers_too_large",
}


# A refusal stays small, whatever was wrong.
_MAX_FIELDS = 20
_MAX_SENTENCES = 3
_MAX_SENTENCE_CHARS = 200


def status_of(error: errors.ServiceError) -> int:
    """Return the HTTP status of a failure."""
    return next(status for kind, status in STATUSES if isinstance(error, kind))


def respond(error: errors.ServiceError) -> Response:
    """Return a failure as JSON, with ``Retry-After`` where waiting may help."""
    details = _cut(error.details) if error.details else None
    response = _respond(str(error), error.code, status_of(error), details)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = to_retry_after(error.retry_after_s)
    return response


def _respond(
    text: str, code: str, status: int, details: Mapping[str, object] | None = None
) -> Response:
    request = current_request()
    request.error_code = code
    problem = Problem(text, code, status, request.id, details)
    protocol = protocol_of(request.endpoint)
    response = jsonify(protocol.problem(problem) if protocol else problem_body(problem))
    response.status_code = status
    return response


def to_retry_after(wait_s: float) -> str:
    """Return a wait as the header tells it: in whole seconds, at least one."""
    return str(max(1, math.ceil(wait_s)))


def code_of(status: int) -> str:
    """Name a failure that the HTTP layer found by itself."""
    return errors.ServiceError.code if status >= 500 else _HTTP_CODES.get(status, "invalid_request")


def lead_on(error: RequestRedirect) -> Response:
    """Return a redirect of the router's own, without the host that the request made up."""
    parts = urlsplit(error.new_url)
    response = cast(Response, redirect("/" + urlunsplit(("", "", *parts[2:])).lstrip("/"), 307))
    response.headers["Cache-Control"] = "no-store"
    return response


def register(app: Flask) -> None:
    """Answer every failure of the application in our shape."""
    app.register_error_handler(errors.ServiceError, _on_service_error)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(Exception, _on_crash)


def _on_service_error(error: errors.ServiceError) -> Response:
    if status_of(error) >= 500 and not current_request().is_failure_logged:
        log.warning("%s: %s", error.code, errors.cause_of(error))
    return respond(error)


def _on_http_error(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    if error.code >= 500:
        return respond(errors.ServiceError())
    response = _respond(error.name, code_of(error.code), error.code)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _on_crash(error: Exception) -> Response:
    log.error("A request failed unexpectedly", exc_info=error)
    return respond(errors.ServiceError())


def _cut(details: Any) -> Any:
    if isinstance(details, Mapping):
        return {str(name): _cut(each) for name, each in islice(details.items(), _MAX_FIELDS)}
    if isinstance(details, str):
        return details[:_MAX_SENTENCE_CHARS]
    return [_cut(each) for each in islice(details, _MAX_SENTENCES)]
