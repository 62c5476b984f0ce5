"""What goes over the wire about a visitor's own session."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import fields, post_load, validate

from app.domain.conversation import Feedback, Message, Rating
from app.domain.people import ConversationState
from app.web.schemas.base import InputSchema, OutputSchema, one_of
from app.web.schemas.chat import MessageSchema

MAX_TOKEN_CHARS = 4096
_PAGE_MESSAGES = 50
_MAX_COMMENT_CHARS = 1000


@dataclass(frozen=True, slots=True)
class PeopleConfig:
    """What a page may know of the people behind the assistant."""

    can_ask: bool


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """What a page may know of the deployment."""

    max_message_chars: int
    people: PeopleConfig
    title: str | None = None
    welcome_message: str | None = None
    starters: Sequence[str] | None = None
    retention_days: int | None = None


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session and the proof of it."""

    session_id: str
    token: str
    expires_in: int
    config: SessionConfig


@dataclass(frozen=True, slots=True)
class History:
    """A page of the session's messages."""

    messages: Sequence[Message]
    next_cursor: str | None = None
    running_turn_id: str | None = None
    state: ConversationState = "bot"
    next_event: int = 0
    is_reachable: bool = False


@dataclass(frozen=True, slots=True)
class IdentifiedUser:
    """Who a visitor is, and the session of another device that they go on with."""

    user: str
    session: OpenedSession | None = None


class OpenSessionSchema(InputSchema):
    """The wish for a session."""

    token = fields.String(
        allow_none=True,
        validate=validate.Length(1, MAX_TOKEN_CHARS),
        metadata={"description": "A former token, to renew it; leave it out for a new session."},
    )


class PeopleConfigSchema(OutputSchema):
    """What a page may know of the people behind the assistant."""

    can_ask = fields.Boolean(
        required=True, metadata={"description": "Whether a visitor can ask for a person."}
    )


class SessionConfigSchema(OutputSchema):
    """What a page may know of the deployment."""

    title = fields.String()
    welcome_message = fields.String()
    starters = fields.List(fields.String())
    max_message_chars = fields.Integer(required=True)
    retention_days = fields.Integer(
        metadata={
            "description": "After so many days without a message a conversation is deleted; "
            "absent where conversations are kept until somebody deletes them."
        }
    )
    people = fields.Nested(PeopleConfigSchema, required=True)


class OpenedSessionSchema(OutputSchema):
    """A session and the token that proves it."""

    session_id = fields.String(required=True)
    token = fields.String(required=True, metadata={"description": "Send it as a bearer token."})
    expires_in = fields.Integer(required=True, metadata={"description": "Seconds."})
    config = fields.Nested(SessionConfigSchema, required=True)


class HistoryQuerySchema(InputSchema):
    """Which page of the session's messages is asked for."""

    limit = fields.Integer(load_default=_PAGE_MESSAGES, validate=validate.Range(1, 100))
    cursor = fields.String(validate=validate.Length(1, 512))


class OwnMessageSchema(MessageSchema):
    """One thing said, without what only the operator needs to know."""

    class Meta:
        """What Marshmallow must know."""

        fields = (
            "id", "role", "content", "created_at", "turn_id", "status", "finish_reason",
            "feedback", "error_code", "sources", "answered_by", "author", "event",
        )  # fmt: skip


class HistorySchema(OutputSchema):
    """A page of the session's messages, oldest first."""

    messages = fields.List(fields.Nested(OwnMessageSchema), required=True)
    next_cursor = fields.String(metadata={"description": "Leads to the page before this one."})
    running_turn_id = fields.String()
    state = fields.String(
        required=True,
        validate=one_of(ConversationState),
        metadata={"description": "Who answers: the assistant, nobody yet, or a person."},
    )
    next_event = fields.Integer(
        required=True, metadata={"description": "What to ask `/v1/session/events` for: `after`."}
    )
    is_reachable = fields.Boolean(
        required=True,
        metadata={"description": "Whether the visitor left an address to be answered at."},
    )


class StoppingSchema(OutputSchema):
    """The turn that is being stopped, if it runs."""

    turn_id = fields.String(required=True)


class RatingSchema(InputSchema):
    """A visitor's opinion of an answer."""

    rating = fields.String(required=True, validate=one_of(Rating))
    comment = fields.String(allow_none=True, validate=validate.Length(max=_MAX_COMMENT_CHARS))

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Feedback:
        """Make the value."""
        return Feedback(data["rating"], data.get("comment") or None)


class IdentitySchema(InputSchema):
    """Who the visitor is, as the site's own server says."""

    jwt = fields.String(
        required=True,
        validate=validate.Length(1, MAX_TOKEN_CHARS),
        metadata={
            "description": "HS256, with `sub` and an `exp` at most an hour ahead, "
            "signed with IDENTITY_SECRET."
        },
    )


class IdentifiedUserSchema(OutputSchema):
    """Whose session it is from now on."""

    user = fields.String(required=True)
    session = fields.Nested(
        OpenedSessionSchema,
        metadata={
            "description": "The user's latest session, from another device: go on with it. Only "
            "where nothing was said in this one."
        },
    )
