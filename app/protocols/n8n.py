"""n8n's chat: for the published widget ``@n8n/chat``, streamed or whole.

After https://github.com/n8n-io/n8n/tree/master/packages/frontend/%40n8n/chat. A stream is
JSON, a line each; the widget asks for one by ``Accept: text/plain``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from marshmallow import ValidationError, fields, post_load, validate

from app.domain.clock import now_ms
from app.domain.conversation import Message
from app.domain.events import TurnDone, TurnFailed, TurnStarted
from app.protocols.protocol import ChatRequest, Problem, problem_body
from app.protocols.source_list import list_sources
from app.protocols.sse import TEXT, SseEncoder, to_json
from app.web.schemas.base import MAX_MESSAGE_CHARS, TURN_ID, InputSchema, OutputSchema, matching
from app.web.schemas.chat import ProblemSchema

_ACTIONS = ("sendMessage", "loadPreviousSession")
# Who speaks, in the names of n8n's memory; what tells of an event is nobody's.
_SPEAKERS = {"user": "HumanMessage", "assistant": "AIMessage", "operator": "AIMessage"}


@dataclass(frozen=True, slots=True, kw_only=True)
class N8nRequest(ChatRequest):
    """What the widget asks for; ``message`` is empty where it loads what was said."""

    action: Literal["sendMessage", "loadPreviousSession"]


class N8nMetadataSchema(InputSchema):
    """What the page adds to each request."""

    turn_id = matching(TURN_ID, "Names the turn: sent again, it is the same one.")


class N8nRequestSchema(InputSchema):
    """What the widget sends."""

    action = fields.String(required=True, validate=validate.OneOf(_ACTIONS))
    session_id = fields.String(required=True, validate=validate.Length(1, 256))
    chat_input = fields.String(load_default="", validate=validate.Length(max=MAX_MESSAGE_CHARS))
    metadata = fields.Nested(N8nMetadataSchema, load_default=dict, allow_none=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> N8nRequest:
        """Require a message where one is sent."""
        message = data["chat_input"]
        if data["action"] == "sendMessage" and not message.strip():
            raise ValidationError("Missing data for required field.", "chatInput")
        return N8nRequest(
            action=data["action"],
            message=message,
            session_id=data["session_id"],
            turn_id=(data["metadata"] or {}).get("turn_id"),
        )


class N8nAnswerSchema(OutputSchema):
    """A whole answer, or what was said before."""

    output = fields.String()
    data = fields.List(
        fields.Dict(),
        metadata={"description": "Messages, oldest first, as LangChain writes them."},
    )


class N8nChunkSchema(OutputSchema):
    """A line of a stream."""

    type = fields.String(required=True, validate=validate.OneOf(["begin", "item", "end", "error"]))
    content = fields.String()
    metadata = fields.Dict(required=True)


class N8nProblemSchema(ProblemSchema):
    """A failure."""

    message = fields.String(required=True, metadata={"description": "What the widget shows."})


class N8n:
    """The protocol."""

    name = "n8n"
    media_type = "text/plain"
    headers: Mapping[str, str] = {}
    request = N8nRequestSchema
    events = (N8nChunkSchema,)
    failure = N8nProblemSchema

    def encoder(self) -> "_Encoder":
        """Return the encoder of an answer."""
        return _Encoder()

    def problem(self, problem: Problem) -> Mapping[str, object]:
        """Return a failure in the service's own shape, with the field that the widget shows."""
        return {**problem_body(problem), "message": problem.error}


def to_output(event: TurnDone) -> dict[str, object]:
    """Return a whole answer."""
    return {"output": event.message + list_sources(event.sources)}


def to_previous_session(messages: Sequence[Message]) -> dict[str, Any]:
    """Return what was said, as the widget draws it anew."""
    said = [each for each in messages if each.role in _SPEAKERS and each.content]
    return {"data": [_to_langchain(each) for each in said]}


class _Encoder(SseEncoder):
    """Lines, each of which names the one node that there is."""

    heartbeat = b"\n"  # blank lines are skipped

    def started(self, event: TurnStarted) -> bytes:
        """Return the beginning of the message."""
        self._metadata = {
            "nodeId": "perch",
            "nodeName": "Perch",
            "itemIndex": 0,
            "runIndex": 0,
            "timestamp": now_ms(),
        }
        self.say_as(self._line("item", content=TEXT))
        return self._line("begin")

    def done(self, event: TurnDone) -> bytes:
        """Return the list of sources, and the end of the message."""
        sources = list_sources(event.sources)
        listed = self.tokens([sources]) if sources else b""
        return self.unsaid(event) + listed + self._line("end")

    def failed(self, event: TurnFailed) -> bytes:
        """Return the error, which the widget writes behind what was said."""
        parted = self.tokens(["\n\n"]) if self._has_said else b""
        return parted + self._line("error", content=str(event.error))

    def _line(self, kind: str, **told: object) -> bytes:
        return to_json({"type": kind, **told, "metadata": self._metadata}) + b"\n"


N8N = N8n()


def _to_langchain(message: Message) -> dict[str, object]:
    kwargs = {"content": message.content + list_sources(message.sources), "additional_kwargs": {}}
    name = ["langchain_core", "messages", _SPEAKERS[message.role]]
    return {"lc": 1, "type": "constructor", "id": name, "kwargs": kwargs}
