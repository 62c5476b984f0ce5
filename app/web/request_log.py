"""Request ids, and one JSON line a request; one more when a stream closes.

What visitors say, and keys, never reach a log.
"""

import re
import secrets
import time

import structlog
from flask import Flask, Response, g, request

from app.running_turn import RunningTurn

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")

log = structlog.get_logger("access")


def register(app: Flask) -> None:
    """Name and log every request of an application."""

    @app.before_request
    def name_request() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        g.started_at = time.monotonic()

    @app.after_request
    def log_request(response: Response) -> Response:
        log.info(
            "request",
            id=g.request_id,
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=_ms_since(g.started_at),
            client=g.get("client_address"),
            **({"code": g.error_code} if "error_code" in g else {}),
        )
        return response


def log_stream(running: RunningTurn, request_id: str, opened_at: float) -> None:
    """Say how a stream ended."""
    log.info(
        "stream",
        id=request_id,
        conversation=running.turn.conversation_id,
        turn=running.turn.id,
        attempt=running.turn.attempt,
        outcome=running.outcome,
        tokens=running.token_count,
        firstTokenMs=running.first_token_ms,
        ms=_ms_since(opened_at),
    )


def _ms_since(started_at: float) -> float:
    return round((time.monotonic() - started_at) * 1000, 1)
