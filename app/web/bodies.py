"""The body of a request: all of it, in its time, and not larger than any valid one."""

import io

import gevent
from flask import current_app

from app.domain.errors import InvalidRequest, LengthRequired, PayloadTooLarge, RequestTimeout
from app.web.current_request import Request
from app.web.services import services

# A password, a token, an address. What is between two ampersands takes long to parse.
MAX_FORM_BYTES = 8 * 1024
_PIECE_BYTES = 16 * 1024
_CUT_OFF = {"body": ["Shorter than its Content-Length, or cut off."]}


def read_body(request: Request, most: int | None = None) -> bytes:
    """Return a request's body, of ``most`` bytes at most.

    Raises:
        InvalidRequest: or one of its kinds.
        TooManyRequests: the client lets too many bodies wait.
    """
    most = most or current_app.config["MAX_CONTENT_LENGTH"]
    size = request.content_length
    if size is None and not _is_chunked(request):
        raise LengthRequired
    if size is not None and size > most:
        raise PayloadTooLarge
    perch = services()
    with (
        perch.limits.bodies.wait(request.client_key),
        gevent.Timeout(perch.settings.request_timeout_s, RequestTimeout()),
    ):
        try:
            return _read_chunks(request, most) if size is None else _read_length(request, size)
        except OSError as error:
            raise InvalidRequest(details=_CUT_OFF) from error


def receive_form(request: Request) -> None:
    """Let a form's body come, for Flask to parse.

    Raises:
        InvalidRequest, TooManyRequests: see ``read_body``.
    """
    request.environ["wsgi.input"] = io.BytesIO(read_body(request, MAX_FORM_BYTES))


def _is_chunked(request: Request) -> bool:
    # Nothing but: what is also compressed, nobody here unpacks.
    return bool(request.environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower() == "chunked")


def _read_length(request: Request, size: int) -> bytes:
    body: bytes = request.environ["wsgi.input"].read(size)
    if len(body) < size:
        raise InvalidRequest(details=_CUT_OFF)
    return body


def _read_chunks(request: Request, most: int) -> bytes:
    body = b""
    while piece := request.environ["wsgi.input"].read(_PIECE_BYTES):
        body += piece
        if len(body) > most:
            raise PayloadTooLarge
    return body
