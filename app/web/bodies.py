"""The body of a request: all of it, in its time, and not larger than any valid one."""

import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from flask import Response, after_this_request

from app.domain.errors import InvalidRequest, LengthRequired, PayloadTooLarge, RequestTimeout
from app.server.incoming import Body
from app.server.pauses import let_others_work
from app.web.current_request import Request, current_application
from app.web.services import services

# A password, a token, an address. What is between two ampersands takes long to parse.
MAX_FORM_BYTES = 8 * 1024
_PIECE_BYTES = 16 * 1024
_LONG_PIECE_BYTES = 64 * 1024
# A file of 20 MiB over a slow line.
_FILE_TIMEOUT_S = 300.0
_CUT_OFF = {"body": ["Shorter than its Content-Length, or cut off."]}


def read_body(request: Request, most: int | None = None) -> bytes:
    """Return a request's body, of ``most`` bytes at most.

    Raises:
        InvalidRequest: or one of its kinds.
        TooManyRequests: the client lets too many bodies wait.
    """
    most = most or current_application().config["MAX_CONTENT_LENGTH"]
    size = _told_size(request, most)
    if size is not None and _is_here(request, size):
        return _read_length(request, size)
    perch = services()
    with (
        perch.limits.bodies.wait(request.client_key),
        gevent.Timeout(perch.settings.request_timeout_s, RequestTimeout()),
    ):
        try:
            return _read_chunks(request, most) if size is None else _read_length(request, size)
        except OSError as error:
            raise InvalidRequest(details=_CUT_OFF) from error


def receive_form(request: Request, most: int = MAX_FORM_BYTES) -> None:
    """Let a form's body come, for Flask to parse.

    One that may be longer than a request of the API waits on the disk.

    Raises:
        InvalidRequest, TooManyRequests: see ``read_body``.
    """
    if most <= current_application().config["MAX_CONTENT_LENGTH"]:
        request.environ["wsgi.input"] = io.BytesIO(read_body(request, most))
        return
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - the parser's, until we answer

    @after_this_request
    def close(response: Response) -> Response:
        file.close()
        return response

    _receive(request, most, file.write)
    file.seek(0)
    request.environ["wsgi.input"] = _Unhurried(file)
    request.max_content_length = most


def receive_file(request: Request, file: Path, most: int) -> None:
    """Write a body of ``most`` bytes at most to a new file, which only we may read.

    Raises:
        InvalidRequest, TooManyRequests: see ``read_body``; or it is empty.
    """
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        size = _receive(request, most, target.write)
    if not size:
        raise InvalidRequest("The file is empty", details={"body": ["Must not be empty."]})


class _Unhurried(io.RawIOBase):
    """A file in whose reading others get their turn."""

    def __init__(self, file: io.RawIOBase) -> None:
        self._file = file

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read the next bytes."""
        let_others_work()
        return self._file.readinto(buffer)


def _receive(request: Request, most: int, write: Callable[[bytes], object]) -> int:
    """Write a long body piece by piece; return its size."""
    size = _told_size(request, most)
    count = 0
    with (
        services().limits.bodies.wait(request.client_key),
        gevent.Timeout(_FILE_TIMEOUT_S, RequestTimeout()),
    ):
        while piece := _read_piece(request):
            count += len(piece)
            if count > most:
                raise PayloadTooLarge
            write(piece)
            let_others_work()
    if size is not None and count < size:
        raise InvalidRequest(details=_CUT_OFF)
    return count


def _read_piece(request: Request) -> bytes:
    try:
        piece: bytes = request.environ["wsgi.input"].read(_LONG_PIECE_BYTES)
    except OSError as error:
        raise InvalidRequest(details=_CUT_OFF) from error
    return piece


def _told_size(request: Request, most: int) -> int | None:
    """Return how long a body is by its own word; ``None`` where it comes in chunks."""
    size = request.content_length
    if size is None and not _is_chunked(request):
        raise LengthRequired
    if size is not None and size > most:
        raise PayloadTooLarge
    return size


def _is_here(request: Request, size: int) -> bool:
    """Tell whether a body came with its head, as a short one does: there is no wait to bound."""
    source = request.environ["wsgi.input"]
    return isinstance(source, Body) and source.has(size)


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
