"""deep-chat's own format, which its property ``connect`` speaks, streamed or whole.

After https://deepchat.dev/docs/connect. The component asks for a stream, of server-sent
events, by ``Accept: text/event-stream``.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, post_load

from app.domain.conversation import PromptMessage, Role
from app.domain.events import TurnDone, TurnFailed, TurnStarted
from app.protocols.openai_parts import part_question
from app.protocols.protocol import ChatRequest, Problem, problem_body
from app.protocols.source_list import list_sources
from app.protocols.sse import DONE, TEXT, SseEncoder, to_event
from app.web.schemas.base import (
    SESSION_ID,
    TURN_ID,
    InputSchema,
    OutputSchema,
    matching,
    messages_of,
)
from app.web.schemas.chat import ProblemSchema

# What a page calls otherwise is passed over.
_ROLES: dict[str, Role] = {"user": "user", "ai": "assistant"}
_DELTA = to_event({"text": TEXT})


class DeepChatMessageSchema(InputSchema):
    """A message of the page's; one without a text, of HTML, is not read."""

    role = fields.String(required=True)
    text = fields.String(load_default="", allow_none=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> PromptMessage:
        """Return role and text."""
        return PromptMessage(_ROLES.get(data["role"], "system"), data["text"] or "")


class DeepChatRequestSchema(InputSchema):
    """What the component sends; the ids are what a page may add to it."""

    messages = messages_of(DeepChatMessageSchema)
    session_id = matching(
        SESSION_ID,
        "Names a session: its stored history is what was said before.",
        load_default=None,
        allow_none=True,
    )
    turn_id = matching(
        TURN_ID,
        "Names the turn: sent again, it is the same one.",
        load_default=None,
        allow_none=True,
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ChatRequest:
        """Take the last message for the question, and those before it for the history."""
        message, history = part_question(data["messages"], "messages")
        return ChatRequest(message, data["session_id"], data["turn_id"], history=history)


class DeepChatAnswerSchema(OutputSchema):
    """A whole answer, or a piece of one in a stream, which may end in an error."""

    text = fields.String()
    error = fields.String()


class DeepChat:
    """The protocol."""

    name = "deep-chat"
    media_type = "text/event-stream"
    headers: Mapping[str, str] = {}
    request = DeepChatRequestSchema
    events = (DeepChatAnswerSchema,)
    failure = ProblemSchema

    def encoder(self) -> "_Encoder":
        """Return the encoder of an answer."""
        return _Encoder()

    def problem(self, problem: Problem) -> Mapping[str, object]:
        """Return a failure in the service's own shape: the component reads its ``error``."""
        return problem_body(problem)


def to_text(event: TurnDone) -> dict[str, object]:
    """Return a whole answer."""
    return {"text": event.message + list_sources(event.sources)}


class _Encoder(SseEncoder):
    """Events, each a piece of the text."""

    def started(self, event: TurnStarted) -> bytes:
        """Return what the component skips: that it began shows in its first word."""
        self.say_as(_DELTA)
        return self.heartbeat

    def done(self, event: TurnDone) -> bytes:
        """Return the list of sources, and the end."""
        sources = list_sources(event.sources)
        listed = self.tokens([sources]) if sources else b""
        return self.unsaid(event) + listed + DONE

    def failed(self, event: TurnFailed) -> bytes:
        """Return the error, which ends the stream."""
        return to_event({"error": str(event.error)})


DEEP_CHAT = DeepChat()
