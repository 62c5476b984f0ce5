"""Open Responses, streamed or whole: for whatever speaks OpenAI's newer API, in texts only.

After https://www.openresponses.org/specification. A model is an assistant's id.
"""

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate

from app.domain.conversation import PromptMessage, Usage
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
from app.web.schemas.base import OutputSchema, messages_of

_DELTA = "response.output_text.delta"
_CUTS = {"length": "max_output_tokens", "content_filter": "content_filter"}
# What the specification requires of every response, and nobody can choose here.
_FIXED: dict[str, object] = {
    "previous_response_id": None,
    "instructions": None,
    "tools": [],
    "tool_choice": "auto",
    "truncation": "auto",
    "parallel_tool_calls": False,
    "text": {"format": {"type": "text"}},
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "top_logprobs": 0,
    "temperature": 1,
    "reasoning": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "store": True,
    "background": False,
    "service_tier": "default",
    "metadata": {},
    "safety_identifier": None,
    "prompt_cache_key": None,
}


def _refuse_conversation(value: object) -> None:
    if value is not None:
        raise ValidationError("Name the conversation with `user`.")


def _refuse_background(value: object) -> None:
    if value:
        raise ValidationError("An answer is waited for, or streamed.")


class ResponseItemSchema(SaidSchema):
    """A message of the client's; items of other types are not read."""

    type = fields.String(
        load_default="message",
        validate=validate.OneOf(["message"], error="Only messages are read here."),
    )


class _Input(fields.Field[list[PromptMessage]]):
    """A text of the user's, or a list of messages."""

    _items = messages_of(ResponseItemSchema)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[PromptMessage]:
        if isinstance(value, str):
            return [PromptMessage("user", value)]
        items: list[PromptMessage] = self._items.deserialize(value)
        return items


class ResponseRequestSchema(OpenAIRequestSchema):
    """What is asked for a response."""

    input = _Input(required=True)
    previous_response_id = fields.Raw(
        data_key="previous_response_id", allow_none=True, validate=_refuse_conversation
    )
    conversation = fields.Raw(allow_none=True, validate=_refuse_conversation)
    background = fields.Raw(allow_none=True, validate=_refuse_background)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> OpenAIRequest:
        """Take the last message for the question, and those before it for the history."""
        message, history = part_question(data["input"], "input")
        return OpenAIRequest(
            message=message, history=history, streams=bool(data["stream"]), user=data["user"]
        )


class ResponseSchema(OutputSchema):
    """A whole response; ``output`` has one message, and what nobody can choose is fixed."""

    id = fields.String(required=True)
    object = fields.Constant("response", required=True)
    status = fields.String(required=True, validate=validate.OneOf(["completed", "incomplete"]))
    model = fields.String(required=True)
    output = fields.List(fields.Dict(), required=True)


class OpenAIResponses:
    """The protocol, for answers in the name of one model."""

    name = "openai-responses"
    media_type = "text/event-stream"
    headers = MappingProxyType[str, str]({})
    request = ResponseRequestSchema
    events = (ResponseSchema,)
    failure = OpenAIProblemSchema

    def __init__(self, model: str = "") -> None:
        self._model = model

    def encoder(self) -> "_Encoder":
        """Return the encoder of an answer."""
        return _Encoder(self._model)

    def problem(self, problem: Problem) -> Mapping[str, object]:
        """Return a failure as OpenAI's SDKs read it, and the AI SDK's, which takes no ``null``."""
        return openai_problem(problem, param="")


def to_response(event: TurnDone, model: str) -> dict[str, object]:
    """Return a whole answer."""
    cut = _CUTS.get(event.finish_reason or "")
    return {
        **_head(event.turn_id, model, "incomplete" if cut else "completed"),
        "completed_at": None if cut else int(time.time()),
        "incomplete_details": {"reason": cut} if cut else None,
        "output": [_item(event)],
        "usage": _usage(event.usage) if event.usage else None,
    }


class _Encoder(SseEncoder):
    """Numbered events, each with its name."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self._model = model
        self._turn_id = ""
        self._at: dict[str, object] = {}
        self._count = 0

    def started(self, event: TurnStarted) -> bytes:
        """Return the events that open a response, its message and its text."""
        self._turn_id = event.turn_id
        self._at = {"item_id": f"msg_{event.turn_id}", "output_index": 0, "content_index": 0}
        self.say_as(to_event({"type": _DELTA, **self._at, "logprobs": [], "delta": TEXT}, _DELTA))
        response = _head(event.turn_id, self._model, "in_progress")
        item = {**_message(event.turn_id, "in_progress"), "content": []}
        return (
            self._event("response.created", response=response)
            + self._event("response.in_progress", response=response)
            + self._event("response.output_item.added", output_index=0, item=item)
            + self._event("response.content_part.added", **self._at, part=_text(""))
        )

    def tokens(self, tokens: Sequence[str]) -> bytes:
        """Return a delta with what was said."""
        self._behind = f',"sequence_number":{self._count}}}\n\n'
        self._count += 1
        return super().tokens(tokens)

    def done(self, event: TurnDone) -> bytes:
        """Return the events that close the text, its message and the response."""
        whole = to_response(event, self._model)
        text = _text(event.message, _annotations(event))
        return (
            self.unsaid(event)
            + self._annotated(event)
            + self._event("response.output_text.done", **self._at, text=event.message, logprobs=[])
            + self._event("response.content_part.done", **self._at, part=text)
            + self._event("response.output_item.done", output_index=0, item=_item(event))
            + self._event(f"response.{whole['status']}", response=whole)
            + DONE
        )

    def failed(self, event: TurnFailed) -> bytes:
        """Return the response as one that failed, which ends the stream."""
        error = {"code": event.error.code, "message": str(event.error)}
        response = {**_head(self._turn_id, self._model, "failed"), "error": error}
        return self._event("response.failed", response=response) + DONE

    def _annotated(self, event: TurnDone) -> bytes:
        kind = "response.output_text.annotation.added"
        return b"".join(
            self._event(kind, **self._at, annotation_index=index, annotation=annotation)
            for index, annotation in enumerate(_annotations(event))
        )

    def _event(self, kind: str, **told: object) -> bytes:
        numbered = {"type": kind, "sequence_number": self._count, **told}
        self._count += 1
        return to_event(numbered, kind)


OPENAI_RESPONSES = OpenAIResponses()


def _head(turn_id: str, model: str, status: str) -> dict[str, object]:
    now = int(time.time())
    return {"id": f"resp_{turn_id}", "object": "response", "created_at": now,
            "completed_at": None, "status": status, "incomplete_details": None, "model": model,
            "output": [], "error": None, "usage": None, **_FIXED}  # fmt: skip


def _message(turn_id: str, status: str) -> dict[str, object]:
    return {"type": "message", "id": f"msg_{turn_id}", "status": status, "role": "assistant"}


def _item(event: TurnDone) -> dict[str, object]:
    status = "incomplete" if event.finish_reason in _CUTS else "completed"
    return {
        **_message(event.turn_id, status),
        "content": [_text(event.message, _annotations(event))],
    }


def _text(text: str, annotations: Sequence[object] = ()) -> dict[str, object]:
    return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": []}


def _annotations(event: TurnDone) -> list[dict[str, object]]:
    return [{"type": "url_citation", **each} for each in citations(event)]


def _usage(usage: Usage) -> dict[str, object]:
    read, written = usage.prompt_tokens, usage.completion_tokens
    return {"input_tokens": read, "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
            "total_tokens": read + written}  # fmt: skip
