"""What OpenAI's two protocols have in common: what is said, who asks, and how it fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate

from app.domain.conversation import PromptMessage
from app.domain.events import TurnDone
from app.domain.grounding import find_citations
from app.protocols.protocol import ChatRequest, Problem
from app.protocols.sse import to_json
from app.web.schemas.base import SESSION_ID, InputSchema, OutputSchema, matching, take_message

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_TEXTS = ("text", "input_text", "output_text")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIRequest(ChatRequest):
    """A request to a model; ``user`` names a session, if it is set."""

    streams: bool
    tells_usage: bool = False
    user: str | None = None


class _Content(fields.Field[str]):
    """A text, or parts that are all texts."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        parts = [{"type": "text", "text": value}] if isinstance(value, str) else value
        if value is None:
            return ""
        if not isinstance(parts, list) or not all(isinstance(each, dict) for each in parts):
            raise ValidationError("Neither a text nor a list of parts.")
        texts = [each.get("text") for each in parts if each.get("type") in _TEXTS]
        if len(texts) < len(parts) or not all(isinstance(text, str) for text in texts):
            raise ValidationError("Only texts are read here: no images, audio or files.")
        return "\n".join(map(str, texts))


class SaidSchema(InputSchema):
    """A message of the client's."""

    role = fields.String(required=True)
    content = _Content(load_default="", allow_none=True, metadata={"type": "string"})

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> PromptMessage:
        """Return role and text."""
        return PromptMessage(data["role"], data["content"] or "")


class OpenAIRequestSchema(InputSchema):
    """What both protocols ask; every other field of OpenAI's is accepted, and does nothing."""

    model = fields.String(required=True, validate=validate.Length(1, 200))
    stream = fields.Boolean(load_default=False, allow_none=True)
    user = matching(
        SESSION_ID,
        "Names a session: its stored history is what was said before.",
        allow_none=True,
        load_default=None,
    )


class OpenAIProblemSchema(OutputSchema):
    """A failure; ``error`` has ``message``, ``type``, ``param`` and ``code``."""

    error = fields.Dict(required=True)
    request_id = fields.String(required=True)


def part_question(
    messages: Sequence[PromptMessage], field: str
) -> tuple[str, tuple[PromptMessage, ...]]:
    """Return the user's last message and the conversation before it.

    Raises:
        ValidationError: for ``field``: the last message is not the user's, or too long.
    """
    said = [each for each in messages if each.role in ("user", "assistant")]
    last = said[-1].content if said and said[-1].role == "user" else ""
    message = take_message(last, field, "The last one must be the user's, with a text.")
    return message, tuple(said[:-1])


def openai_problem(problem: Problem, param: str | None = None) -> Mapping[str, object]:
    """Return a failure as OpenAI's SDKs read it; ``param`` names nothing, in either form."""
    message = problem.error
    if problem.details:
        message += f": {to_json(problem.details).decode()}"
    default = "server_error" if problem.status >= 500 else "invalid_request_error"
    kind = _TYPES.get(problem.status, default)
    error = {"message": message, "type": kind, "param": param, "code": problem.code}
    return {"error": error, "requestId": problem.request_id}


def citations(event: TurnDone) -> list[dict[str, object]]:
    """Return where an answer cites pages, by characters, as OpenAI's ``url_citation`` has it.

    Files without an address have no place there.
    """
    pages = {each.n: each for each in event.sources or () if each.url}
    return [
        {
            "start_index": cited.start,
            "end_index": cited.end,
            "title": pages[n].title,
            "url": pages[n].url,
        }
        for cited in find_citations(event.message if pages else "")
        for n in cited.numbers
        if n in pages
    ]
