"""What goes over the wire between us and the operator's scripts about conversations."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from app.domain.conversation import ASSISTANT_ID, ConversationFilter, Mark, Rating, Status
from app.domain.people import ConversationState
from app.operations.export import SEPARATORS, Format
from app.web.schemas.base import OutputSchema, matching, one_of
from app.web.schemas.chat import MessageSchema
from app.web.schemas.queries import IS_CURSOR, Choice, Moment, PlainInteger, QuerySchema

MAX_THREAD_PAGE = 1000


class FilterSchema(QuerySchema):
    """What a list is narrowed to."""

    makes = ConversationFilter

    text = fields.String(
        data_key="q",
        validate=validate.Length(1, 200),
        metadata={
            "description": 'Words and "phrases in quotes" that all stand in one message; or an id '
            "of a conversation, session, user, turn, request or message."
        },
    )
    since = Moment(data_key="from", metadata={"description": "Updated since, inclusive."})
    until = Moment(
        data_key="to", ends=True, metadata={"description": "Updated before; a day is included."}
    )
    feedback = fields.String(validate=one_of(Rating))
    status = fields.String(validate=one_of(Status))
    page = fields.String(
        validate=validate.Length(1, 2048), metadata={"description": "The URL begins so."}
    )
    user = fields.String(validate=validate.Length(1, 256))
    assistant = matching(ASSISTANT_ID.pattern)
    state = fields.String(
        validate=one_of(ConversationState), metadata={"description": "Who answers."}
    )


_FILTERS = FilterSchema().fields.keys()


class _FilteredSchema(FilterSchema):
    """A filter, which is told as ``where``, and what is asked beside it."""

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Make the filter."""
        where = {name: data.pop(name) for name in _FILTERS & data.keys()}
        return {"where": ConversationFilter(**where), **data}


class ListQuerySchema(_FilteredSchema):
    """Which page of which conversations is asked for."""

    limit = PlainInteger(load_default=100, validate=validate.Range(1, 200))
    cursor = fields.String(validate=IS_CURSOR)


class ThreadQuerySchema(QuerySchema):
    """Which page of a conversation is asked for; without a limit, all of it."""

    limit = PlainInteger(validate=validate.Range(1, MAX_THREAD_PAGE))
    cursor = fields.String(validate=IS_CURSOR)


class DeleteQuerySchema(QuerySchema):
    """Whose conversations are to go: a session's, or a user's."""

    session_id = fields.String(validate=validate.Length(1, 128))
    user = fields.String(validate=validate.Length(1, 256))

    @validates_schema
    def name_one(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a query that names nobody, or two."""
        if len(data) != 1:
            raise ValidationError("Name either a sessionId or a user.", "sessionId")


class ExportQuerySchema(_FilteredSchema):
    """What is to be exported, and how it is written."""

    kind = fields.String(data_key="format", load_default="jsonl", validate=one_of(Format))
    bom = Choice(
        load_default=None,
        metadata={"description": "Mark it as UTF-8, for spreadsheets; by default a table is."},
    )
    separator = fields.String(
        data_key="sep",
        load_default="comma",
        validate=validate.OneOf(SEPARATORS),
        metadata={"description": "What stands between the cells of a table."},
    )


class MatchSchema(OutputSchema):
    """The newest message in which a searched text stands."""

    message_id = fields.String(required=True)
    role = fields.String(required=True, validate=validate.OneOf(["user", "assistant", "operator"]))
    text = fields.String(required=True, metadata={"description": "The part around it."})


class StoredContactSchema(OutputSchema):
    """Where a visitor agreed to be answered."""

    email = fields.String(required=True)
    name = fields.String()
    consented_at = fields.Integer(required=True)


class ConversationSchema(OutputSchema):
    """A conversation without its messages."""

    id = fields.String(required=True, data_key="_id")
    creation_time = fields.Integer(
        required=True, data_key="_creationTime", attribute="created_at", dump_only=True
    )
    session_id = fields.String(required=True)
    created_at = fields.Integer(required=True)
    updated_at = fields.Integer(required=True)
    last_message = fields.String()
    page_url = fields.String(attribute="page.url")
    page_title = fields.String(attribute="page.title")
    user = fields.String()
    last_question = fields.String()
    message_count = fields.Integer()
    marks = fields.List(
        fields.String(validate=one_of(Mark)),
        metadata={"description": "What stands on some message of it."},
    )
    match = fields.Nested(
        MatchSchema, metadata={"description": "Where the searched text stands, in a search."}
    )
    assistant = fields.String(
        required=True, metadata={"description": "The id of the assistant that was asked."}
    )
    state = fields.String(
        required=True,
        validate=one_of(ConversationState),
        metadata={"description": "Who answers: the assistant, nobody yet, or a person."},
    )
    waiting_since = fields.Integer(metadata={"description": "When a person was asked for."})
    unread = fields.Integer(
        required=True,
        metadata={"description": "What the visitor said to people since one of them looked."},
    )
    contact = fields.Nested(StoredContactSchema)


class ConversationListSchema(OutputSchema):
    """A page of conversations, newest-updated first."""

    conversations = fields.List(fields.Nested(ConversationSchema), required=True)
    total = fields.Integer(metadata={"description": "Of all; absent under a filter."})
    next_cursor = fields.String()
    found = fields.Integer(
        metadata={
            "description": "How many fit the filter, on its first page; 101 means more than 100. "
            "Absent where counting would take long."
        }
    )


class ThreadSchema(OutputSchema):
    """A conversation with its messages, oldest first."""

    conversation = fields.Nested(ConversationSchema, required=True)
    messages = fields.List(fields.Nested(MessageSchema), required=True)
    next_cursor = fields.String()


class DeletedSchema(OutputSchema):
    """How many conversations are gone."""

    deleted = fields.Integer(required=True)
