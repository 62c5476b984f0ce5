"""What the operator's scripts ask about knowledge, and order."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from app.domain.conversation import ASSISTANT_ID, DEFAULT_ASSISTANT
from app.domain.knowledge import MAX_KEY_CHARS
from app.operations.export import SEPARATORS
from app.operations.knowledge.corrections import MAX_ANSWER_CHARS, MAX_QUESTION_CHARS
from app.operations.knowledge.documents import MAX_TEXT_CHARS, MAX_TITLE_CHARS, TEXT_ID
from app.operations.knowledge.gaps import MAX_GAPS
from app.web.schemas.base import MAX_MESSAGE_CHARS, InputSchema, matching
from app.web.schemas.queries import IS_CURSOR, PlainInteger, QuerySchema

_IS_URL = validate.Length(1, MAX_KEY_CHARS)


class WhoseQuerySchema(QuerySchema):
    """Whose knowledge is meant."""

    assistant = matching(
        ASSISTANT_ID.pattern, "By default the default one.", load_default=DEFAULT_ASSISTANT
    )


class PageQuerySchema(WhoseQuerySchema):
    """Which page of a list is asked for."""

    limit = PlainInteger(load_default=100, validate=validate.Range(1, 200))
    cursor = fields.String(validate=IS_CURSOR)


class KeyQuerySchema(WhoseQuerySchema):
    """Which document is meant."""

    key = fields.String(required=True, validate=validate.Length(1, MAX_KEY_CHARS))


class GapsQuerySchema(WhoseQuerySchema):
    """How many questions are asked for."""

    limit = PlainInteger(load_default=100, validate=validate.Range(1, MAX_GAPS))


class TableQuerySchema(WhoseQuerySchema):
    """How a table is written."""

    separator = fields.String(
        data_key="sep", load_default="comma", validate=validate.OneOf(list(SEPARATORS))
    )


class FileQuerySchema(WhoseQuerySchema):
    """What the file in the body is called."""

    name = fields.String(
        required=True,
        validate=validate.Length(1, 255),
        metadata={"description": "Its ending must be that of a kind which is read."},
    )


class LearnSchema(InputSchema):
    """What is to be learnt: one of the three."""

    url = fields.String(
        validate=_IS_URL, metadata={"description": "A site, from this page of it on."}
    )
    sitemap = fields.String(
        validate=_IS_URL, metadata={"description": "The pages that it names, and no others."}
    )
    refresh = fields.Boolean(
        metadata={"description": "Whether to look at all that was learnt again."}
    )

    included = fields.List(
        fields.String(),
        data_key="only",
        metadata={"description": "Of the site, paths of these patterns alone: `/docs/*`."},
    )
    excluded = fields.List(
        fields.String(),
        data_key="not",
        metadata={"description": "Of the site, no paths of these patterns."},
    )

    @validates_schema
    def check_one(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse none, and two."""
        if sum(bool(data.get(each)) for each in ("url", "sitemap", "refresh")) != 1:
            raise ValidationError("One of url, sitemap and refresh.", "url")


class TextSchema(InputSchema):
    """A text to be known; with an ``id`` in place of the one that has it."""

    title = fields.String(required=True, validate=validate.Length(1, MAX_TITLE_CHARS))
    text = fields.String(
        required=True,
        validate=validate.Length(1, MAX_TEXT_CHARS),
        metadata={"description": "Lines that begin with # are headings."},
    )
    text_id = matching(TEXT_ID.pattern, data_key="id")
    url = fields.String(validate=_IS_URL, metadata={"description": "Where a visitor may read it."})
    pinned = fields.Boolean()


class PinSchema(InputSchema):
    """Whether a document is told with every question."""

    key = fields.String(required=True, validate=validate.Length(1, MAX_KEY_CHARS))
    pinned = fields.Boolean(required=True)


class CorrectionInputSchema(InputSchema):
    """A question and the owner's answer."""

    question = fields.String(required=True, validate=validate.Length(1, MAX_QUESTION_CHARS))
    answer = fields.String(required=True, validate=validate.Length(1, MAX_ANSWER_CHARS))


class AskSchema(InputSchema):
    """A question to try, and what it may be understood by."""

    question = fields.String(required=True, validate=validate.Length(1, MAX_MESSAGE_CHARS))
    before = fields.String(
        validate=validate.Length(1, MAX_MESSAGE_CHARS),
        metadata={"description": "The visitor's question before it."},
    )
    page_url = fields.String(validate=_IS_URL, metadata={"description": "Where the visitor is."})
