"""AG-UI, version 1: for CopilotKit, TanStack AI and other agents' front ends.

After https://docs.ag-ui.com/concepts/events. A thread is a session, a run is a turn.
Tools, state and context are the client's own, and are not looked at.

A client that may come back gets events with ids: the turn's, and how many characters
were said by then. It sends the last one as ``Last-Event-ID``, and is told the rest.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from marshmallow import fields, post_load, validate

from app.domain.events import TurnDone, TurnFailed, TurnStarted
from app.protocols.protocol import ChatRequest, Problem, problem_body
from app.protocols.sse import TEXT, SseEncoder, to_event
from app.web.schemas.base import InputSchema, OutputSchema, messages_of, take_message
from app.web.schemas.chat import ProblemSchema

_is_count = re.compile(r"[0-9]{1,9}").fullmatch


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest(ChatRequest):
    """A run of an agent, by the names that the client gave."""

    thread_id: str
    run_id: str


class AgUiMessageSchema(InputSchema):
    """A message of the client's; its text is a string, or stands in parts."""

    role = fields.String(required=True)
    content = fields.Raw(load_default="", allow_none=True)


class RunRequestSchema(InputSchema):
    """What an agent is run with. Of the messages the user's last one is taken."""

    thread_id = fields.String(required=True, validate=validate.Length(1, 256))
    run_id = fields.String(required=True, validate=validate.Length(1, 256))
    messages = messages_of(AgUiMessageSchema)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> RunRequest:
        """Take the user's last message."""
        said = [each["content"] for each in data["messages"] if each["role"] == "user"]
        return RunRequest(
            message=take_message(_text_of(said[-1]) if said else ""),
            thread_id=data["thread_id"],
            run_id=data["run_id"],
        )


class RunEventSchema(OutputSchema):
    """An event of a run."""

    type = fields.String(required=True)


@dataclass(frozen=True, slots=True)
class AgUi:
    """The protocol, for the answers of one run."""

    thread_id: str = ""
    run_id: str = ""
    has_ids: bool = False
    # How many characters a client that came back has; ``None``: it begins at the beginning.
    after: int | None = None

    name = "ag-ui"
    media_type = "text/event-stream"
    headers = MappingProxyType[str, str]({})
    request = RunRequestSchema
    events = (RunEventSchema,)
    failure = ProblemSchema

    def encoder(self) -> "_Encoder":
        """Return the encoder of an answer."""
        return _Encoder(self)

    def problem(self, problem: Problem) -> Mapping[str, object]:
        """Return a failure in the service's own shape: clients show its text."""
        return problem_body(problem)


class _Encoder(SseEncoder):
    """Events, each with its type."""

    def __init__(self, protocol: AgUi) -> None:
        super().__init__()
        self._run = {"threadId": protocol.thread_id, "runId": protocol.run_id}
        self._message: dict[str, object] = {}
        self._has_ids = protocol.has_ids
        self._after = protocol.after
        self._told = 0

    def started(self, event: TurnStarted) -> bytes:
        """Return the beginning of the run and of its one message."""
        self._message = {"messageId": event.turn_id}
        begun = _event("TEXT_MESSAGE_START", **self._message, role="assistant")
        self.say_as(_event("TEXT_MESSAGE_CONTENT", **self._message, delta=TEXT))
        if self._after is not None:
            return self.heartbeat
        return _event("RUN_STARTED", **self._run) + self._id() + begun

    def tokens(self, tokens: Sequence[str]) -> bytes:
        """Return a delta with what was said, or with what of it the client does not have."""
        if not self._has_ids:
            return super().tokens(tokens)
        text = "".join(tokens)
        if not self._told:
            text = text.lstrip()  # as the answer is stored
        self._told += len(text)
        self._has_said = self._has_said or bool(text)
        new = min(self._told - (self._after or 0), len(text))
        if new <= 0:
            return self.heartbeat
        return self._id() + super().tokens([text[-new:]])

    def done(self, event: TurnDone) -> bytes:
        """Return the end of the message and of the run; before it, what the answer cites."""
        ended = b""
        if event.sources:
            sources = [each.as_fields() for each in event.sources]
            ended = _event("CUSTOM", name="sources", value=sources)
        ended += _event("TEXT_MESSAGE_END", **self._message)
        return self.unsaid(event) + ended + _event("RUN_FINISHED", **self._run)

    def failed(self, event: TurnFailed) -> bytes:
        """Return the error that ends the run."""
        return _event("RUN_ERROR", message=str(event.error), code=event.error.code)

    def _id(self) -> bytes:
        """Return what goes before an event to name it."""
        return f"id: {self._message['messageId']}:{self._told}\n".encode() if self._has_ids else b""


AG_UI = AgUi()


def read_event_id(event_id: str) -> tuple[str, int]:
    """Return the turn of an event's id, and how much was said; of nonsense, no turn."""
    turn_id, _, told = event_id.rpartition(":")
    return (turn_id, int(told)) if _is_count(told) else ("", 0)


def _text_of(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = [each.get("text") for each in parts if isinstance(each, dict)]
    return "\n".join(text for text in texts if isinstance(text, str))


def _event(kind: str, **told: object) -> bytes:
    return to_event({"type": kind, **told})
