"""A turn as an HTTP response: a stream of a protocol's bytes, or one body."""

from collections.abc import Iterator
from functools import partial

from flask import Response

from app.domain.conversation import Question
from app.domain.events import TurnDone, TurnFailed
from app.protocols.protocol import AnswerProtocol, Encoder, encode
from app.server.watch import Watch
from app.server.writer import WRITER, ChunkedWriter
from app.turns.endings import Ending
from app.turns.service import StartedTurn
from app.turns.transcript import Outlet
from app.web.current_request import Request, current_request
from app.web.services import Services, services

_HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


def stream_turn(question: Question, protocol: AnswerProtocol) -> Response:
    """Begin a turn and stream its events as a protocol tells them.

    Raises:
        ServiceError: before the first byte.
    """
    request, perch = current_request(), services()
    encoder = protocol.encoder()
    writer: ChunkedWriter | None = request.environ.get(WRITER)
    outlet = writer.stream(encoder.tokens, encoder.heartbeat) if writer else None
    running = _run(question, request, perch, outlet)
    body = _Body(running, writer, encoder, request)
    # Straight to the server: werkzeug's own iterators would stand between for all of the stream.
    content_type = f"{protocol.media_type}; charset=utf-8"
    return Response(body, content_type=content_type, headers=_HEADERS, direct_passthrough=True)


def complete_turn(question: Question) -> TurnDone:
    """Begin a turn and wait for its answer; a visitor who leaves stops it.

    Raises:
        ServiceError: there is no whole answer.
    """
    request, perch = current_request(), services()
    running = _run(question, request, perch)
    watch = _watch(running, request)
    try:
        return perch.turns.complete(running)
    finally:
        if watch is not None:
            watch.close()
        request.is_failure_logged = running.failure is not None


def _run(
    question: Question, request: Request, perch: Services, outlet: Outlet | None = None
) -> StartedTurn:
    client = request.counted_client
    perch.limits.count_question(question.assistant, client, question.session_id)
    return perch.turns.run(perch.turns.begin(question, client), request.id, outlet)


def _watch(running: StartedTurn, request: Request) -> Watch | None:
    return Watch.of(request.environ, partial(running.cancel, Ending.LEFT))


class _Body:
    """The bytes of a stream, and what must happen when it closes.

    A class, because a generator that was never started ignores ``close``.
    """

    __slots__ = ("_encoder", "_environ", "_running", "_watch", "_writer")

    def __init__(
        self,
        running: StartedTurn,
        writer: ChunkedWriter | None,
        encoder: Encoder,
        request: Request,
    ) -> None:
        self._running = running
        self._writer = writer
        self._encoder = encoder
        self._environ = request.environ
        self._watch = _watch(running, request)
        if writer is not None:
            writer.on_gone = partial(running.cancel, Ending.LEFT)

    def __iter__(self) -> Iterator[bytes]:
        # Gunicorn holds it to the answer's end, some 4 KiB, and the answer needs none of it.
        self._environ.clear()
        for event in self._running.events():
            piece = encode(self._encoder, event)
            if self._writer is not None and isinstance(event, TurnDone | TurnFailed):
                self._writer.finish(piece)
            else:
                yield piece

    def close(self) -> None:
        """End a turn that nobody reads."""
        self._running.cancel(Ending.LEFT)
        if self._watch is not None:
            self._watch.close()
