"""A turn as an HTTP response: a stream of lines, or one body."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response

from app.conversation import Question, TurnDone
from app.endings import Ending
from app.running_turn import Outlet, RunningTurn
from app.web import ndjson
from app.web.connection import Connection
from app.web.current_request import Request, current_request
from app.web.request_log import log_stream
from app.web.services import Services, services

_HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


def stream_turn(question: Question) -> Response:
    """Begin a turn and stream its events as lines.

    Raises:
        ServiceError: before the first byte.
    """
    request, perch = current_request(), services()
    connection = Connection.of(request.environ, perch.settings.send_timeout_s)
    running = _run(question, request, perch, connection.outlet if connection else None)
    body = _Body(running, connection, request.id)
    # Straight to the server: werkzeug's own iterators would stand between for all of the stream.
    return Response(
        body, content_type=ndjson.CONTENT_TYPE, headers=_HEADERS, direct_passthrough=True
    )


def complete_turn(question: Question) -> TurnDone:
    """Begin a turn and wait for its answer; a visitor who leaves stops it.

    Raises:
        ServiceError: there is no whole answer.
    """
    request, perch = current_request(), services()
    running = _run(question, request, perch)
    opened_at = time.monotonic()
    connection = Connection.of(request.environ, perch.settings.send_timeout_s)
    try:
        with _watched(running, connection):
            return perch.turns.complete(running)
    finally:
        log_stream(running, request.id, opened_at)


def _run(
    question: Question, request: Request, perch: Services, outlet: Outlet | None = None
) -> RunningTurn:
    client = request.client_key
    perch.limits.count_question(client, question.session_id)
    return perch.turns.run(perch.turns.begin(question, client), request.id, outlet)


@contextmanager
def _watched(running: RunningTurn, connection: Connection | None) -> Iterator[None]:
    if connection is None:
        yield
        return
    connection.watch(lambda: running.cancel(Ending.LEFT))
    try:
        yield
    finally:
        connection.close()


class _Body:
    """The lines of a stream, and what must happen when it closes.

    A class, because a generator that was never started ignores ``close``.
    """

    def __init__(
        self, running: RunningTurn, connection: Connection | None, request_id: str
    ) -> None:
        self._running = running
        self._request_id = request_id
        self._opened_at = time.monotonic()
        self._outlet = connection.outlet if connection else None
        self._watch: Any = _watched(running, connection)
        self._watch.__enter__()

    def __iter__(self) -> Iterator[bytes]:
        for event in self._running.events():
            if self._outlet is not None:
                self._outlet.flush()
            yield ndjson.to_lines(event)

    def close(self) -> None:
        """End a turn that nobody reads, and say how the stream went."""
        self._running.cancel(Ending.LEFT)
        self._watch.__exit__(None, None, None)
        log_stream(self._running, self._request_id, self._opened_at)
