"""What goes over the wire where people answer: between us and visitors, and operators."""

from collections.abc import Sequence
from typing import Any

from marshmallow import ValidationError, fields, validate, validates

from app.domain.conversation import ASSISTANT_ID
from app.domain.mail_server import is_mail_address
from app.domain.people import MAX_EMAIL_CHARS, MAX_NAME_CHARS, MAX_REPLY_CHARS, ConversationState
from app.operations.waiting import MAX_WAIT_S
from app.web.schemas.base import (
    MAX_MESSAGE_CHARS,
    TURN_ID,
    InputSchema,
    OutputSchema,
    TrueOrFalse,
    matching,
    one_of,
)
from app.web.schemas.chat import PageSchema
from app.web.schemas.conversations import ConversationSchema
from app.web.schemas.queries import PlainInteger, QuerySchema
from app.web.schemas.session import MAX_TOKEN_CHARS, OwnMessageSchema

_MAX_EVENT = 2**31 - 1
_MAX_INBOX = 200
_MAX_KEY_CHARS = 128
_STATE = {"description": "Who answers: the assistant, nobody yet, or a person."}


class AskForPersonSchema(InputSchema):
    """The wish for a person."""

    text = fields.String(
        allow_none=True,
        validate=validate.Length(1, MAX_MESSAGE_CHARS),
        metadata={"description": "Stored as the visitor's message; may be left out."},
    )
    turn_id = matching(TURN_ID, "Names the text: sent again, it is the same message.")
    page = fields.Nested(PageSchema)

    @validates("text")
    def refuse_blank(self, text: str | None, **_: Any) -> None:
        """Refuse a text without words."""
        if text is not None and not text.strip():
            raise ValidationError("Must not be blank.")


class HandoffSchema(OutputSchema):
    """Who answers from now on."""

    state = fields.String(required=True, validate=one_of(ConversationState), metadata=_STATE)
    is_open = fields.Boolean(
        required=True, metadata={"description": "Whether somebody is there, by the owner's hours."}
    )
    back_at = fields.Integer(
        metadata={"description": "When somebody is there again, in ms since 1970; if known."}
    )


class StateSchema(OutputSchema):
    """Who answers."""

    state = fields.String(required=True, validate=one_of(ConversationState), metadata=_STATE)


class EventsQuerySchema(InputSchema):
    """After which event there is to be news, and how long it is waited for."""

    after = fields.Integer(
        load_default=0,
        validate=validate.Range(0, _MAX_EVENT),
        metadata={"description": "`next` of the answer before, or `nextEvent` of the history."},
    )
    wait = fields.Integer(
        load_default=0, validate=validate.Range(0, MAX_WAIT_S), metadata={"description": "Seconds."}
    )


class EventSchema(OutputSchema):
    """Something that an operator said or did."""

    n = fields.Integer(required=True, metadata={"description": "Counts a session's events."})
    type = fields.Function(
        lambda event: event.message.event or "message",
        required=True,
        metadata={
            "type": "string",
            "enum": ["message", "asked", "taken", "released", "closed", "contact"],
        },
    )
    message = fields.Nested(
        OwnMessageSchema,
        metadata={"description": "What was said; of an event, when and by whom it came about."},
    )


class EventsSchema(OutputSchema):
    """Events after the one that was named, in order."""

    state = fields.String(required=True, validate=one_of(ConversationState), metadata=_STATE)
    events = fields.List(fields.Nested(EventSchema), required=True)
    next = fields.Integer(required=True, metadata={"description": "What to ask `after` next."})


class LeaveContactSchema(InputSchema):
    """Where a visitor may be answered."""

    email = fields.String(required=True, validate=validate.Length(3, MAX_EMAIL_CHARS))
    name = fields.String(allow_none=True, validate=validate.Length(max=MAX_NAME_CHARS))
    consent = TrueOrFalse(
        required=True, metadata={"description": "Must be true: without it, nothing is kept."}
    )

    @validates("email")
    def refuse_no_address(self, email: str, **_: Any) -> None:
        """Refuse what no mail can be sent to."""
        if not is_mail_address(email):
            raise ValidationError("Not an e-mail address.")

    @validates("name")
    def refuse_controls(self, name: str | None, **_: Any) -> None:
        """Refuse what would end a header of a mail."""
        if name is not None and not name.isprintable():
            raise ValidationError("Must be printable.")

    @validates("consent")
    def refuse_without(self, consent: bool, **_: Any) -> None:
        """Refuse to keep what nobody agreed to."""
        if consent is not True:
            raise ValidationError("Must be true.")


class ReturnSchema(InputSchema):
    """The token of a mailed link."""

    token = fields.String(required=True, validate=validate.Length(1, MAX_TOKEN_CHARS))


class ActingSchema(InputSchema):
    """Who acts."""

    name = fields.String(
        allow_none=True,
        validate=validate.Length(1, MAX_NAME_CHARS),
        metadata={"description": "As visitors are shown; OPERATOR_NAME where it is left out."},
    )


class OperatorReplySchema(ActingSchema):
    """An operator's words."""

    text = fields.String(required=True, validate=validate.Length(1, MAX_REPLY_CHARS))
    key = fields.String(
        allow_none=True,
        validate=validate.Length(1, _MAX_KEY_CHARS),
        metadata={"description": "Names the words: sent again, they are the same message."},
    )


class HandedOverSchema(OutputSchema):
    """What a step came to."""

    conversation_id = fields.String(required=True)
    session_id = fields.String(required=True)
    assistant = fields.String(required=True)
    state = fields.String(required=True, validate=one_of(ConversationState), metadata=_STATE)
    is_new = fields.Boolean(
        required=True, metadata={"description": "False where it had been done already."}
    )


class InboxQuerySchema(QuerySchema):
    """Whose inbox is asked for."""

    limit = PlainInteger(load_default=50, validate=validate.Range(1, _MAX_INBOX))
    assistant = matching(ASSISTANT_ID.pattern)


class InboxSchema(OutputSchema):
    """Conversations that wait, the longest first, then those of people, the newest first."""

    conversations = fields.List(fields.Nested(ConversationSchema), required=True)


class NoticesQuerySchema(QuerySchema):
    """How many notices are asked for."""

    limit = PlainInteger(load_default=50, validate=validate.Range(1, _MAX_INBOX))


class NoticeSchema(OutputSchema):
    """Something that somebody outside is told."""

    id = fields.String(required=True)
    type = fields.String(required=True)
    created_at = fields.Integer(required=True)
    assistant = fields.String(required=True)
    conversation_id = fields.String()
    message_id = fields.String()
    pending = fields.Function(
        lambda notice: None if notice.pending is None else _names(notice.pending),
        metadata={
            "type": "array",
            "items": {"type": "string"},
            "description": "Who has not taken it; absent before the first attempt.",
        },
    )
    attempts = fields.Integer(
        required=True, metadata={"description": "Those that were made in vain."}
    )
    due_at = fields.Integer(required=True)
    problem = fields.String()
    is_given_up = fields.Boolean(required=True)


class NoticesSchema(OutputSchema):
    """Notices of the last days, the newest first."""

    notices = fields.List(fields.Nested(NoticeSchema), required=True)


def _names(pending: Sequence[str]) -> list[str]:
    return [each.partition(":")[0] for each in pending]
