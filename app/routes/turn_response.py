"""A turn as an HTTP response: a stream of a protocol's bytes, or one body."""

from collections.abc import Iterator

from flask import Response

from app.domain.conversation import Question
from app.domain.events import TurnDone, TurnFailed
from app.protocols.protocol import AnswerProtocol, Encoder, encode
from app.server.watch import Watch
from app.server.writer import WRITER, ChunkedWriter
from app.turns.readers import Reader
from app.turns.service import StartedTurn
from app.turns.transcript import Outlet
from app.web.contract import protocol_of
from app.web.current_request import Request, current_request
from app.web.guards.sessions import asked_assistant, session_id
from app.web.services import Services, services

# How metrics call the protocol of a route that has none: one body of JSON, our own.
_PLAIN = "json"
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
    return _stream(_run(question, request, perch, outlet), protocol, encoder, request, outlet)


def stream_again(turn_id: str, protocol: AnswerProtocol) -> Response:
    """Stream a turn of the token's session from its beginning, whether it runs or is over.

    Raises:
        ServiceError: before the first byte.
    """
    request = current_request()
    reader = services().turns.following.follow(
        asked_assistant(), request.client_key, session_id(), turn_id
    )
    return _stream(reader, protocol, protocol.encoder(), request)


def _stream(
    turn: StartedTurn | Reader,
    protocol: AnswerProtocol,
    encoder: Encoder,
    request: Request,
    outlet: Outlet | None = None,
) -> Response:
    body = _Body(turn, encoder, request, outlet)
    # Straight to the server: werkzeug's own iterators would stand between for all of the stream.
    content_type = f"{protocol.media_type}; charset=utf-8"
    headers = {**_HEADERS, **protocol.headers}
    return Response(body, content_type=content_type, headers=headers, direct_passthrough=True)


def complete_turn(question: Question) -> TurnDone:
    """Begin a turn and wait for its answer.

    Raises:
        ServiceError: there is no whole answer.
    """
    request, perch = current_request(), services()
    running = _run(question, request, perch)
    watch = Watch.of(request.environ, running.leave)
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
    begun = perch.turns.begin(question, client)
    # Without a token a visitor can neither come back nor stop an answer but by leaving.
    can_return = request.session_id is not None
    protocol = protocol_of(request.endpoint)
    name = protocol.name if protocol else _PLAIN
    return perch.turns.run(begun, request.id, outlet, can_return=can_return, protocol=name)


class _Body:
    """The bytes of a stream, and what must happen when it closes.

    A class, because a generator that was never started ignores ``close``.
    """

    __slots__ = ("_encoder", "_environ", "_is_left", "_outlet", "_turn", "_watch", "_writer")

    def __init__(
        self,
        turn: StartedTurn | Reader,
        encoder: Encoder,
        request: Request,
        outlet: Outlet | None,
    ) -> None:
        self._turn = turn
        self._encoder = encoder
        self._environ = request.environ
        self._writer: ChunkedWriter | None = request.environ.get(WRITER)
        self._outlet = outlet
        self._is_left = False
        self._watch = Watch.of(request.environ, self._lose)
        if self._writer is not None:
            self._writer.on_gone = self._lose

    def __iter__(self) -> Iterator[bytes]:
        # Gunicorn holds it to the answer's end, some 4 KiB, and the answer needs none of it.
        self._environ.clear()
        for event in self._turn.events():
            piece = encode(self._encoder, event)
            if self._writer is not None and isinstance(event, TurnDone | TurnFailed):
                self._writer.finish(piece)
            else:
                yield piece

    def close(self) -> None:
        """Read no more: what was not told is not wanted here."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        if self._writer is not None:
            self._writer.on_gone = None  # which would hold the turn to the next garbage collection
        self._leave()

    def _leave(self) -> None:
        if not self._is_left:
            self._is_left = True
            self._turn.leave(self._outlet)

    def _lose(self) -> None:
        if self._writer is not None:
            self._writer.hang_up()
        self._leave()
