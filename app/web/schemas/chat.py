"""What goes over the wire, as Marshmallow schemas: they validate, dump and document."""

from typing import Any

from marshmallow import fields, post_load, validate

from app.domain.conversation import Page, Rating, Role, Status
from app.domain.knowledge import AnsweredBy, GapReason
from app.domain.people import EventKind
from app.notifications.return_link import without_token
from app.protocols.protocol import ChatRequest
from app.web.schemas.base import (
    MAX_MESSAGE_CHARS,
    SESSION_ID,
    TURN_ID,
    InputSchema,
    OutputSchema,
    TrueOrFalse,
    matching,
    one_of,
)

_MAX_URL_CHARS = 2048
_MAX_TITLE_CHARS = 300


class _CutString(fields.String):
    """A text of which so many characters are taken: what is longer is no reason to refuse."""

    def __init__(self, most: int, **kwargs: Any) -> None:
        said = {"description": f"Only its first {most} characters are taken."}
        super().__init__(metadata=said, **kwargs)
        self._most = most

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, *args, **kwargs)
        return text[: self._most]


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
        description="An id that the client made up; needed where no session token is sent.",
    )
    message = fields.String(required=True, validate=validate.Length(1, MAX_MESSAGE_CHARS))
    turn_id = matching(TURN_ID)
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

    conversation_id = fields.String(required=True)
    message = fields.String(required=True)
    turn_id = fields.String(required=True)
    message_id = fields.String()
    sources = fields.List(
        fields.Nested(SourceSchema),
        metadata={
            "description": "What the answer cites, in this order; absent where no pages were "
            "looked into."
        },
    )
    answered_by = fields.String(
        validate=one_of(AnsweredBy), metadata={"description": "Who spoke where no model was asked."}
    )


class StartLineSchema(OutputSchema):
    """The question is stored."""

    type = fields.Constant("start", required=True)
    conversation_id = fields.String(required=True)
    turn_id = fields.String(required=True)


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
        validate=validate.OneOf(["length", "content_filter", "stopped", "left"])
    )


class ErrorLineSchema(OutputSchema):
    """The answer broke off; what was said so far is kept."""

    type = fields.Constant("error", required=True)
    error = fields.String(required=True)
    code = fields.String(required=True)
    retryable = fields.Boolean()
    retry_after = fields.Float()


class UsageSchema(OutputSchema):
    """The tokens of one completion."""

    prompt_tokens = fields.Integer(required=True)
    completion_tokens = fields.Integer(required=True)


class FeedbackSchema(OutputSchema):
    """A visitor's opinion of an answer."""

    rating = fields.String(required=True, validate=one_of(Rating))
    comment = fields.String()


class MessageSchema(OutputSchema):
    """One thing said."""

    id = fields.String(required=True, data_key="_id")
    role = fields.String(
        required=True,
        validate=one_of(Role),
        metadata={"description": "An `operator` is a person; `system` tells of an event."},
    )
    content = fields.String(required=True)
    created_at = fields.Integer(required=True)
    turn_id = fields.String()
    status = fields.String(validate=one_of(Status))
    model = fields.String()
    usage = fields.Nested(UsageSchema)
    latency_ms = fields.Integer()
    first_token_ms = fields.Integer()
    finish_reason = fields.String()
    feedback = fields.Nested(FeedbackSchema)
    error_code = fields.String(
        metadata={"description": "Why there is no answer, or not the whole of it."}
    )
    request_id = fields.String(metadata={"description": "The request that was answered."})
    sources = fields.List(
        fields.Nested(SourceSchema),
        metadata={"description": "What the answer cites; absent where no pages were looked into."},
    )
    answered_by = fields.String(
        validate=one_of(AnsweredBy),
        metadata={"description": "Who spoke where no model did: the owner, or nobody who knew."},
    )
    gap = fields.String(
        validate=one_of(GapReason),
        metadata={"description": "Why the owner should look at the answer."},
    )
    author = fields.String(metadata={"description": "The operator who spoke, or acted."})
    event = fields.String(
        validate=one_of(EventKind),
        metadata={"description": "What a `system` message tells of; its content is empty."},
    )


class NothingSchema(OutputSchema):
    """An answer without a body."""


class ProblemSchema(OutputSchema):
    """A failure."""

    error = fields.String(required=True, metadata={"description": "One sentence for a reader."})
    code = fields.String(required=True, metadata={"description": "One word for a program."})
    request_id = fields.String(required=True)
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
