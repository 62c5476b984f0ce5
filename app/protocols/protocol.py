"""What a protocol is: how one kind of front end asks, and how it is told an answer.

A new one is a file in this package that has what is named here, and a route with
``contract(protocol=...)`` in ``app/routes/front_ends.py``; ``deep_chat`` is the smallest that
answers whole as well as streamed. Everybody else asks the protocol of the route: the stream
and its heartbeats, the writer to the socket, the shape of errors, the OpenAPI document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from marshmallow import Schema

from app.domain.conversation import Page, PromptMessage
from app.domain.events import (
    Heartbeat,
    SourcesFound,
    TokensReceived,
    TurnDone,
    TurnEvent,
    TurnFailed,
    TurnStarted,
)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A visitor's message, as any protocol asks it.

    ``history`` is what was said before, of clients that keep it themselves.
    """

    message: str
    session_id: str | None = None
    turn_id: str | None = None
    regenerate: bool = False
    page: Page | None = None
    history: Sequence[PromptMessage] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """A failure before the first byte of an answer; ``status`` is HTTP's."""

    error: str
    code: str
    status: int
    request_id: str
    details: Mapping[str, object] | None = None


class Encoder(Protocol):
    """Makes the bytes of one answer, in the order in which they are asked for."""

    @property
    def heartbeat(self) -> bytes:
        """What a client skips: it shows that the connection lives."""
        ...

    def started(self, event: TurnStarted) -> bytes:
        """Return how the answer begins."""
        ...

    def sources(self, event: SourcesFound) -> bytes:
        """Return what the answer may cite, where clients are told of that before it."""
        ...

    def tokens(self, tokens: Sequence[str]) -> bytes:
        """Return deltas; called in gevent's hub, so it never blocks and never raises."""
        ...

    def done(self, event: TurnDone) -> bytes:
        """Return how a stored answer ends."""
        ...

    def failed(self, event: TurnFailed) -> bytes:
        """Return how an answer ends that is not whole."""
        ...


class AnswerProtocol(Protocol):
    """One way to ask, and to be answered.

    ``request`` loads a body to a ``ChatRequest``; ``events`` are the kinds of
    objects of which an answer consists, for the OpenAPI document.
    """

    @property
    def name(self) -> str:
        """What logs and metrics call it."""
        ...

    @property
    def media_type(self) -> str:
        """What a streamed answer is, without parameters."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that a streamed answer carries beside."""
        ...

    @property
    def request(self) -> type[Schema]:
        """What loads a request's body to a ``ChatRequest``."""
        ...

    @property
    def events(self) -> Sequence[type[Schema]]:
        """The objects of which an answer consists, one of these each."""
        ...

    @property
    def failure(self) -> type[Schema]:
        """The JSON body of a failure before the first byte."""
        ...

    def encoder(self) -> Encoder:
        """Return what encodes one answer."""
        ...

    def problem(self, problem: Problem) -> Mapping[str, object]:
        """Return the JSON body of a failure."""
        ...


def encode(encoder: Encoder, event: TurnEvent) -> bytes:
    """Return an event's bytes."""
    match event:
        case TokensReceived():
            return encoder.tokens(event.tokens)
        case Heartbeat():
            return encoder.heartbeat
        case TurnStarted():
            return encoder.started(event)
        case SourcesFound():
            return encoder.sources(event)
        case TurnDone():
            return encoder.done(event)
        case TurnFailed():
            return encoder.failed(event)


def problem_body(problem: Problem) -> Mapping[str, object]:
    """Return a failure in the service's own shape, as all routes without a protocol fail."""
    body: dict[str, object] = {
        "error": problem.error,
        "code": problem.code,
        "requestId": problem.request_id,
    }
    return {**body, "details": problem.details} if problem.details else body
