"""OpenAI's chat completions, streamed or whole: for its SDKs and whatever speaks as they do.

After https://platform.openai.com/docs/api-reference/chat. A model is an assistant's id.
What steers a model there (temperature, tools, system messages) is the owner's here, and
is not looked at.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from marshmallow import fields, post_load, validate

from app.domain.conversation import Usage
from app.domain.events import TurnDone, TurnFailed, TurnStarted
from app.protocols.openai_parts import (
    OpenAIProblemSchema,
    OpenAIRequest,
    OpenAIRequestSchema,
    SaidSchema,
    citations,
    openai_problem,
    part_question,
)
from app.protocols.protocol import Problem
from app.protocols.sse import DONE, TEXT, SseEncoder, to_event
from app.web.schemas.base import InputSchema, OutputSchema, messages_of

_FINISH_REASONS = {"length": "length", "content_filter": "content_filter"}


class StreamOptionsSchema(InputSchema):
    """What a stream tells beside."""

    include_usage = fields.Boolean(data_key="include_usage", load_default=False)


class CompletionRequestSchema(OpenAIRequestSchema):
    """What is asked for a completion."""

    messages = messages_of(SaidSchema)
    stream_options = fields.Nested(
        StreamOptionsSchema, data_key="stream_options", load_default=None, allow_none=True
    )
    n = fields.Integer(
        load_default=1, allow_none=True, validate=validate.OneOf([1], error="One answer at a time.")
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> OpenAIRequest:
        """Take the last message for the question, and those before it for the history."""
        message, history = part_question(data["messages"], "messages")
        return OpenAIRequest(
            message=message,
            history=history,
            streams=bool(data["stream"]),
            tells_usage=bool((data["stream_options"] or {}).get("include_usage")),
            user=data["user"],
        )


class CompletionSchema(OutputSchema):
    """A whole completion; ``choices`` has one."""

    id = fields.String(required=True)
    object = fields.Constant("chat.completion", required=True)
    created = fields.Integer(required=True)
    model = fields.String(required=True)
    choices = fields.List(fields.Dict(), required=True)
    usage = fields.Dict()


class ModelListSchema(OutputSchema):
    """The assistant that the key opens, as the only model."""

    object = fields.Constant("list", required=True)
    data = fields.List(fields.Dict(), required=True)


@dataclass(frozen=True, slots=True)
class OpenAIChat:
    """The protocol, for answers in the name of one model."""

    model: str = ""
    tells_usage: bool = False

    name = "openai-chat"
    media_type = "text/event-stream"
    headers = MappingProxyType[str, str]({})
    request = CompletionRequestSchema
    events = (CompletionSchema,)
    failure = OpenAIProblemSchema

    def encoder(self) -> "_Encoder":
        """Return the encoder of an answer."""
        return _Encoder(self.model, self.tells_usage)

    def problem(self, problem: Problem) -> Mapping[str, object]:
        """Return a failure as OpenAI's SDKs read it."""
        return openai_problem(problem)


def to_completion(event: TurnDone, model: str) -> dict[str, object]:
    """Return a whole answer."""
    message = {"role": "assistant", "content": event.message, "refusal": None}
    choice = {
        "index": 0,
        "message": message | _annotations(event),
        "logprobs": None,
        "finish_reason": _finish_reason(event),
    }
    whole = {**_head(event.turn_id, model), "object": "chat.completion", "choices": [choice]}
    return {**whole, "usage": _usage(event.usage)} if event.usage else whole


class _Encoder(SseEncoder):
    """Events, each a chunk of the completion."""

    def __init__(self, model: str, tells_usage: bool) -> None:
        super().__init__()
        self._model = model
        self._tells_usage = tells_usage
        self._head: dict[str, object] = {}

    def started(self, event: TurnStarted) -> bytes:
        """Return the chunk that names the role."""
        self._head = _head(event.turn_id, self._model)
        self.say_as(self._chunk({"content": TEXT}))
        return self._chunk({"role": "assistant", "content": ""})

    def done(self, event: TurnDone) -> bytes:
        """Return the chunk with sources and reason, the usage if it was asked for, the end."""
        last = self.unsaid(event) + self._chunk(_annotations(event), _finish_reason(event))
        if self._tells_usage:
            usage = _usage(event.usage or Usage(0, 0))
            last += to_event({**self._head, "choices": [], "usage": usage})
        return last + DONE

    def failed(self, event: TurnFailed) -> bytes:
        """Return an error, which ends the stream."""
        error = event.error
        told = {"message": str(error), "type": "server_error", "param": None, "code": error.code}
        return to_event({"error": told})

    def _chunk(self, delta: dict[str, object], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return to_event({**self._head, "choices": [choice]})


OPENAI_CHAT = OpenAIChat()


def _head(turn_id: str, model: str) -> dict[str, object]:
    return {
        "id": f"chatcmpl-{turn_id}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
    }


def _annotations(event: TurnDone) -> dict[str, object]:
    cited = [{"type": "url_citation", "url_citation": each} for each in citations(event)]
    return {"annotations": cited} if cited else {}


def _usage(usage: Usage) -> dict[str, int]:
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _finish_reason(event: TurnDone) -> str:
    return _FINISH_REASONS.get(event.finish_reason or "", "stop")
