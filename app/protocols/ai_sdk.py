"""The AI SDK's UI message stream, version 1: for ``useChat`` and whatever stands on it.

After https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol. ``ai`` 5.0.0 reads its parts
strictly: one key that it does not know, and the message stays empty without a word.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import fields, post_load, validate

from app.domain.events import TurnDone, TurnFailed, TurnStarted
from app.domain.knowledge import Source
from app.protocols.protocol import ChatRequest, Problem, problem_body
from app.protocols.sse import DONE, TEXT, SseEncoder, to_event
from app.web.schemas.base import InputSchema, OutputSchema, messages_of, take_message
from app.web.schemas.chat import ProblemSchema

_MAX_PARTS = 100
_BEGIN = to_event({"type": "start-step"}) + to_event({"type": "text-start", "id": "t1"})
_DELTA = to_event({"type": "text-delta", "id": "t1", "delta": TEXT})
_END = to_event({"type": "text-end", "id": "t1"}) + to_event({"type": "finish-step"})
_FINISH = to_event({"type": "finish"})


@dataclass(frozen=True, slots=True, kw_only=True)
class UiChatRequest(ChatRequest):
    """A visitor's message, with the id that the client gave to it."""

    message_id: str = ""


class UiMessagePartSchema(InputSchema):
    """A part of a message, of which texts are read."""

    type = fields.String(required=True)
    text = fields.String(load_default="", allow_none=True)


class UiMessageSchema(InputSchema):
    """A message of the client's; its text stands in parts, other parts are not read."""

    id = fields.String(load_default="", validate=validate.Length(max=256))
    role = fields.String(required=True)
    parts = fields.List(
        fields.Nested(UiMessagePartSchema),
        load_default=list,
        validate=validate.Length(max=_MAX_PARTS),
    )


class UiChatSchema(InputSchema):
    """What a chat transport sends. Of its messages the user's last one is taken."""

    id = fields.String(required=True, validate=validate.Length(1, 256))
    messages = messages_of(UiMessageSchema)
    trigger = fields.String(load_default="submit-message", allow_none=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> UiChatRequest:
        """Take the user's last message."""
        said = [each for each in data["messages"] if each["role"] == "user"]
        parts = said[-1]["parts"] if said else []
        text = "\n".join(each["text"] for each in parts if each["type"] == "text" and each["text"])
        return UiChatRequest(
            message=take_message(text),
            session_id=data["id"],
            regenerate=data["trigger"] == "regenerate-message",
            message_id=said[-1]["id"],
        )


class UiPartSchema(OutputSchema):
    """A part of the answer's stream."""

    type = fields.String(required=True)


class AiSdk:
    """The protocol."""

    name = "ai-sdk"
    media_type = "text/event-stream"
    headers: Mapping[str, str] = {"x-vercel-ai-ui-message-stream": "v1"}
    request = UiChatSchema
    events = (UiPartSchema,)
    failure = ProblemSchema

    def encoder(self) -> "_Encoder":
        """Return the encoder of an answer."""
        return _Encoder()

    def problem(self, problem: Problem) -> Mapping[str, object]:
        """Return a failure in the service's own shape: the SDK shows it as a text."""
        return problem_body(problem)


class _Encoder(SseEncoder):
    """Events, each a part of the message."""

    def started(self, event: TurnStarted) -> bytes:
        """Return the beginning of the message and of its one text."""
        self.say_as(_DELTA)
        return to_event({"type": "start", "messageId": event.turn_id}) + _BEGIN

    def done(self, event: TurnDone) -> bytes:
        """Return the sources, and the end of the text and of the message."""
        sources = b"".join(map(_source, event.sources or ()))
        return self.unsaid(event) + sources + _END + _FINISH + DONE

    def failed(self, event: TurnFailed) -> bytes:
        """Return an error, which ends the stream."""
        return to_event({"type": "error", "errorText": str(event.error)}) + DONE


AI_SDK = AiSdk()


def _source(source: Source) -> bytes:
    told = {"sourceId": str(source.n), "title": source.title}
    if source.url:
        return to_event({"type": "source-url", **told, "url": source.url})
    return to_event({"type": "source-document", **told, "mediaType": "text/plain"})
