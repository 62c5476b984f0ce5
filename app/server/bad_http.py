"""The answer to bytes that are no HTTP, which the application never sees.

Gunicorn refuses them with a page of HTML; ``answer_in_json`` makes it one of
our problems, so that a client never meets anything but JSON.
"""

import json
import secrets
from socket import socket

from gunicorn import util

_CODES = {
    403: "forbidden",
    414: "uri_too_long",
    417: "expectation_failed",
    431: "headers_too_large",
    500: "internal_error",
}
_TEXTS = {400: "Invalid HTTP request", 500: "Internal server error"}


def answer_in_json() -> None:
    """Replace the one function by which gunicorn writes its own errors."""
    util.write_error = write_problem


def write_problem(sock: socket, status_int: int, reason: str, mesg: str) -> None:
    """Write a failure in our shape; the message, which quotes the client, is only logged."""
    # 501 is an unknown transfer coding: the client's mistake, not ours.
    status, reason = (400, "Bad Request") if status_int == 501 else (status_int, reason)
    request_id = secrets.token_hex(8)
    code = _CODES.get(status, "invalid_request")
    problem = {"error": _TEXTS.get(status, reason), "code": code, "requestId": request_id}
    body = json.dumps(problem).encode()
    head = (
        f"HTTP/1.1 {status} {reason}\r\n"
        "Connection: close\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"X-Request-Id: {request_id}\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "\r\n"
    )
    util.write_nonblock(sock, head.encode() + body)
