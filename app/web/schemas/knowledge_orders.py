"""What the operator's scripts ask about knowledge, and order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

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


@dataclass(frozen=True, slots=True)
class WhoseQuery:
    """Whose knowledge is meant."""

    assistant: str


@dataclass(frozen=True, slots=True)
class PageQuery(WhoseQuery):
    """Which page of a list is asked for."""

    limit: int
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class KeyQuery(WhoseQuery):
    """Which document is meant."""

    key: str


@dataclass(frozen=True, slots=True)
class GapsQuery(WhoseQuery):
    """How many questions are asked for."""

    limit: int


@dataclass(frozen=True, slots=True)
class TableQuery(WhoseQuery):
    """How a table is written."""

    separator: str


@dataclass(frozen=True, slots=True)
class FileQuery(WhoseQuery):
    """What a file is called."""

    name: str


@dataclass(frozen=True, slots=True)
class LearnOrder:
    """What is to be learnt."""

    url: str | None = None
    sitemap: str | None = None
    refresh: bool = False
    included: Sequence[str] = ()
    excluded: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class TextOrder:
    """A text to be known."""

    title: str
    text: str
    id: str | None = None
    url: str | None = None
    pinned: bool | None = None


@dataclass(frozen=True, slots=True)
class PinOrder:
    """Whether a document is told with every question."""

    key: str
    pinned: bool


@dataclass(frozen=True, slots=True)
class CorrectionOrder:
    """A question and the owner's answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class AskOrder:
    """A question to try, and what it may be understood by."""

    question: str
    before: str | None = None
    page_url: str | None = None


class WhoseQuerySchema(QuerySchema):
    """Whose knowledge is meant."""

    makes: ClassVar[type[Any]] = WhoseQuery

    assistant = matching(
        ASSISTANT_ID.pattern, "By default the default one.", load_default=DEFAULT_ASSISTANT
    )


class PageQuerySchema(WhoseQuerySchema):
    """Which page of a list is asked for."""

    makes = PageQuery

    limit = PlainInteger(load_default=100, validate=validate.Range(1, 200))
    cursor = fields.String(validate=IS_CURSOR)


class KeyQuerySchema(WhoseQuerySchema):
    """Which document is meant."""

    makes = KeyQuery

    key = fields.String(required=True, validate=validate.Length(1, MAX_KEY_CHARS))


class GapsQuerySchema(WhoseQuerySchema):
    """How many questions are asked for."""

    makes = GapsQuery

    limit = PlainInteger(load_default=100, validate=validate.Range(1, MAX_GAPS))


class TableQuerySchema(WhoseQuerySchema):
    """How a table is written."""

    makes = TableQuery

    separator = fields.String(
        data_key="sep", load_default="comma", validate=validate.OneOf(list(SEPARATORS))
    )


class FileQuerySchema(WhoseQuerySchema):
    """What the file in the body is called."""

    makes = FileQuery

    name = fields.String(
        required=True,
        validate=validate.Length(1, 255),
        metadata={"description": "Its ending must be that of a kind which is read."},
    )


class LearnSchema(InputSchema):
    """What is to be learnt: one of the three."""

    makes = LearnOrder

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

    makes = TextOrder

    title = fields.String(required=True, validate=validate.Length(1, MAX_TITLE_CHARS))
    text = fields.String(
        required=True,
        validate=validate.Length(1, MAX_TEXT_CHARS),
        metadata={"description": "Lines that begin with # are headings."},
    )
    id = matching(TEXT_ID.pattern)
    url = fields.String(validate=_IS_URL, metadata={"description": "Where a visitor may read it."})
    pinned = fields.Boolean()


class PinSchema(InputSchema):
    """Whether a document is told with every question."""

    makes = PinOrder

    key = fields.String(required=True, validate=validate.Length(1, MAX_KEY_CHARS))
    pinned = fields.Boolean(required=True)


class CorrectionInputSchema(InputSchema):
    """A question and the owner's answer."""

    makes = CorrectionOrder

    question = fields.String(required=True, validate=validate.Length(1, MAX_QUESTION_CHARS))
    answer = fields.String(required=True, validate=validate.Length(1, MAX_ANSWER_CHARS))


class AskSchema(InputSchema):
    """A question to try, and what it may be understood by."""

    makes = AskOrder

    question = fields.String(required=True, validate=validate.Length(1, MAX_MESSAGE_CHARS))
    before = fields.String(
        validate=validate.Length(1, MAX_MESSAGE_CHARS),
        metadata={"description": "The visitor's question before it."},
    )
    page_url = fields.String(validate=_IS_URL, metadata={"description": "Where the visitor is."})
