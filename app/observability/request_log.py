"""Request ids, and one JSON line a request; one more when a stream closes.

What visitors say, and keys, never reach a log.
"""

import re
import secrets
import time

import structlog
from flask import Flask, Response
from structlog.contextvars import bind_contextvars

from app.domain.conversation import Answer
from app.domain.errors import cause_of, mend_of
from app.domain.events import TurnEnded
from app.domain.grounding import Grounds
from app.web.contract import protocol_of
from app.web.current_request import Request, current_request

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")

log = structlog.get_logger("access")


def register(app: Flask) -> None:
    """Name and log every request of an application."""
    app.request_class = Request

    @app.before_request
    def name_request() -> None:
        request = current_request()
        given = request.environ.get("HTTP_X_REQUEST_ID", "")
        request.id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        request.started_at = time.monotonic()
        bind_contextvars(id=request.id)

    @app.after_request
    def log_request(response: Response) -> Response:
        request = current_request()
        if request.is_put_aside:
            return response
        protocol = protocol_of(request.endpoint)
        response.headers.add("X-Request-Id", request.id)
        write = log.debug if request.is_uneventful else log.info
        write(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=_ms_since(request.started_at),
            client=request.client_address or None,
            **({"protocol": protocol.name} if protocol else {}),
            **({"code": request.error_code} if request.error_code else {}),
        )
        return response


def log_turn(ended: TurnEnded) -> None:
    """Say how a turn ended, and why where it failed."""
    failure, answer = ended.failure, ended.answer
    fields: dict[str, object] = {
        "attempt": ended.turn.attempt,
        "outcome": ended.outcome,
        "tokens": ended.token_count,
        "firstTokenMs": answer.first_token_ms if answer else None,
        "ms": round(ended.duration_ms, 1),
    }
    if ended.grounds is not None:
        fields["knowledge"] = _knowledge(ended.grounds, answer)
    if failure is None:
        log.info("stream", **fields)
        return
    fields["cause"] = cause_of(failure)
    if mend := mend_of(failure):
        fields["check"] = mend
    log.warning("stream", **fields)


def _knowledge(grounds: Grounds, answer: Answer | None) -> dict[str, object]:
    """Return what was found for a turn, in numbers: never a word of it."""
    found = grounds.found
    fields: dict[str, object] = {
        "version": found.version,
        "found": len(found.passages),
        "cited": len(answer.sources or ()) if answer else 0,
        "coverage": round(found.coverage, 2),
        "ms": round(found.duration_ms, 1),
    }
    return fields | ({"answeredBy": grounds.answered_by} if grounds.answered_by else {})


def _ms_since(started_at: float) -> float:
    return round((time.monotonic() - started_at) * 1000, 1)
