"""What goes over the wire, as Marshmallow schemas: they validate, dump and document."""

import re
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_dump, post_load, validate

from app.domain.conversation import Page
from app.notifications.return_link import without_token
from app.protocols.protocol import ChatRequest

MAX_MESSAGE_CHARS = 4000
# Of a history that a client keeps; what is more than a prompt may hold is cut again.
_MAX_MESSAGES = 1000
_MAX_URL_CHARS = 2048
_MAX_TITLE_CHARS = 300
SESSION_ID = r"[A-Za-z0-9._:-]{1,128}"
TURN_ID = r"[A-Za-z0-9._:-]{8,64}"


def matching(pattern: str, description: str = "", **kwargs: Any) -> fields.String:
    """Return a string field that the pattern describes to its very end."""
    compiled = re.compile(pattern)

    def check(value: str) -> None:
        if not compiled.fullmatch(value):
            raise ValidationError(f"Must match {pattern}")

    metadata = {"pattern": f"^{pattern}$"} | ({"description": description} if description else {})
    return fields.String(validate=check, metadata=metadata, **kwargs)


class TrueOrFalse(fields.Boolean):
    """JSON's own booleans; 0 and 1, which Python takes for equal to them, are refused."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class _CutString(fields.String):
    """A text of which so many characters are taken: what is longer is no reason to refuse."""

    def __init__(self, most: int, **kwargs: Any) -> None:
        said = {"description": f"Only its first {most} characters are taken."}
        super().__init__(metadata=said, **kwargs)
        self._most = most

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, *args, **kwargs)
        return text[: self._most]


def messages_of(schema: type[Schema]) -> fields.List[Any]:
    """Return the field in which a client that keeps its history sends all of it."""
    bounds = validate.Length(1, _MAX_MESSAGES)
    return fields.List(fields.Nested(schema), required=True, validate=bounds)


def take_message(
    text: str, field: str = "messages", if_blank: str = "None of the user's has a text."
) -> str:
    """Return the message of a client that sends a list of them, if it is one.

    Raises:
        ValidationError: for ``field``: it is blank, or too long.
    """
    if not text.strip():
        raise ValidationError(if_blank, field)
    if len(text) > MAX_MESSAGE_CHARS:
        raise ValidationError(f"Longer than maximum length {MAX_MESSAGE_CHARS}.", field)
    return text


class InputSchema(Schema):
    """Something that a client sends; what we do not know is ignored."""

    class Meta:
        """What Marshmallow must know."""

        unknown = EXCLUDE

    makes: ClassVar[type[Any]]
    """What its fields are the arguments of, once they are read."""

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Any:
        """Make the value."""
        return self.makes(**data)


class OutputSchema(Schema):
    """Something that we send."""

    @post_dump
    def leave_out_unset(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Leave out what is not set."""
        return {name: value for name, value in data.items() if value is not None}


class PageSchema(InputSchema):
    """The page that the visitor chats from."""

    makes = Page

    url = _CutString(_MAX_URL_CHARS, required=True, validate=validate.Length(1))
    title = _CutString(_MAX_TITLE_CHARS, allow_none=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Page:
        """Make the value, without the token of a link that led to the page."""
        return Page(without_token(data["url"]), data.get("title"))


class ChatSchema(InputSchema):
    """A visitor's message."""

    makes = ChatRequest

    session_id = matching(
        SESSION_ID,
        data_key="sessionId",
        description="An id that the client made up; needed where no session token is sent.",
    )
    message = fields.String(required=True, validate=validate.Length(1, MAX_MESSAGE_CHARS))
    turn_id = matching(TURN_ID, data_key="turnId")
    regenerate = TrueOrFalse()
    page = fields.Nested(PageSchema)


class SourceSchema(OutputSchema):
    """Where an answer was read."""

    n = fields.Integer(
        required=True, metadata={"description": "The number by which the answer cites it: `[2]`."}
    )
    title = fields.String(required=True)
    url = fields.String(metadata={"description": "Absent where no page shows it."})


class ReplySchema(OutputSchema):
    """A whole answer."""

    conversation_id = fields.String(required=True, data_key="conversationId")
    message = fields.String(required=True)
    turn_id = fields.String(required=True, data_key="turnId")
    message_id = fields.String(data_key="messageId")
    sources = fields.List(
        fields.Nested(SourceSchema),
        metadata={
            "description": "What the answer cites, in this order; absent where no pages were "
            "looked into."
        },
    )
    answered_by = fields.String(
        data_key="answeredBy",
        validate=validate.OneOf(["owner", "unknown", "person"]),
        metadata={"description": "Who spoke where no model was asked."},
    )


class StartLineSchema(OutputSchema):
    """The question is stored."""

    type = fields.Constant("start", required=True)
    conversation_id = fields.String(required=True, data_key="conversationId")
    turn_id = fields.String(required=True, data_key="turnId")


class SourcesLineSchema(OutputSchema):
    """What the answer may cite: it comes once, before the first token, or not at all."""

    type = fields.Constant("sources", required=True)
    sources = fields.List(fields.Nested(SourceSchema), required=True)


class TokenLineSchema(OutputSchema):
    """A piece of the answer."""

    type = fields.Constant("token", required=True)
    token = fields.String(required=True)


class DoneLineSchema(ReplySchema):
    """The answer is stored."""

    type = fields.Constant("done", required=True)
    finish_reason = fields.String(
        data_key="finishReason",
        validate=validate.OneOf(["length", "content_filter", "stopped", "left"]),
    )


class ErrorLineSchema(OutputSchema):
    """The answer broke off; what was said so far is kept."""

    type = fields.Constant("error", required=True)
    error = fields.String(required=True)
    code = fields.String(required=True)
    retryable = fields.Boolean()
    retry_after = fields.Float(data_key="retryAfter")


class UsageSchema(OutputSchema):
    """The tokens of one completion."""

    prompt_tokens = fields.Integer(required=True, data_key="promptTokens")
    completion_tokens = fields.Integer(required=True, data_key="completionTokens")


class FeedbackSchema(OutputSchema):
    """A visitor's opinion of an answer."""

    rating = fields.String(required=True, validate=validate.OneOf(["up", "down"]))
    comment = fields.String()


class MessageSchema(OutputSchema):
    """One thing said."""

    id = fields.String(required=True, data_key="_id")
    role = fields.String(
        required=True,
        validate=validate.OneOf(["user", "assistant", "operator", "system"]),
        metadata={"description": "An `operator` is a person; `system` tells of an event."},
    )
    content = fields.String(required=True)
    created_at = fields.Integer(required=True, data_key="createdAt")
    turn_id = fields.String(data_key="turnId")
    status = fields.String(validate=validate.OneOf(["complete", "partial", "error"]))
    model = fields.String()
    usage = fields.Nested(UsageSchema)
    latency_ms = fields.Integer(data_key="latencyMs")
    first_token_ms = fields.Integer(data_key="firstTokenMs")
    finish_reason = fields.String(data_key="finishReason")
    feedback = fields.Nested(FeedbackSchema)
    error_code = fields.String(
        data_key="errorCode",
        metadata={"description": "Why there is no answer, or not the whole of it."},
    )
    request_id = fields.String(
        data_key="requestId", metadata={"description": "The request that was answered."}
    )
    sources = fields.List(
        fields.Nested(SourceSchema),
        metadata={"description": "What the answer cites; absent where no pages were looked into."},
    )
    answered_by = fields.String(
        data_key="answeredBy",
        validate=validate.OneOf(["owner", "unknown", "person"]),
        metadata={"description": "Who spoke where no model did: the owner, or nobody who knew."},
    )
    gap = fields.String(
        validate=validate.OneOf(["nothing_found", "not_cited", "unknown", "disliked"]),
        metadata={"description": "Why the owner should look at the answer."},
    )
    author = fields.String(metadata={"description": "The operator who spoke, or acted."})
    event = fields.String(
        validate=validate.OneOf(["asked", "taken", "released", "closed", "contact"]),
        metadata={"description": "What a `system` message tells of; its content is empty."},
    )


class NothingSchema(OutputSchema):
    """An answer without a body."""


class ProblemSchema(OutputSchema):
    """A failure."""

    error = fields.String(required=True, metadata={"description": "One sentence for a reader."})
    code = fields.String(required=True, metadata={"description": "One word for a program."})
    request_id = fields.String(required=True, data_key="requestId")
    details = fields.Dict(metadata={"description": "What is wrong, by field."})


class HealthSchema(OutputSchema):
    """The process answers."""

    status = fields.Constant("ok", required=True)


class ReadinessSchema(OutputSchema):
    """Whether turns can be served, and what stands in the way."""

    status = fields.String(
        required=True, validate=validate.OneOf(["ready", "not_ready", "draining"])
    )
    store = fields.String(required=True)
    model = fields.String(required=True)
    trouble = fields.String(
        metadata={
            "description": "What only the owner can mend; the log and the dashboard say more."
        }
    )
    knowledge = fields.String(
        validate=validate.Equal("building"),
        metadata={
            "description": "This machine's index of the owner's pages is not there yet, or not the"
            " newest: answers come from the one before it, or without pages."
        },
    )
