"""What goes over the wire between us and the operator's scripts about knowledge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate, validates_schema

from app.domain.conversation import ASSISTANT_ID, DEFAULT_ASSISTANT
from app.domain.knowledge import DOCUMENT_KINDS, MAX_KEY_CHARS
from app.operations.corrections import MAX_ANSWER_CHARS, MAX_QUESTION_CHARS
from app.operations.export import SEPARATORS
from app.operations.gaps import MAX_GAPS, GapGroup
from app.operations.knowledge import MAX_TEXT_CHARS, MAX_TITLE_CHARS, TEXT_ID, state_of
from app.web.schemas.chat import MAX_MESSAGE_CHARS, InputSchema, OutputSchema, matching
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
    page_url = fields.String(
        data_key="pageUrl",
        validate=_IS_URL,
        metadata={"description": "Where the visitor is."},
    )


class SectionSchema(OutputSchema):
    """A part of a document under one heading."""

    heading = fields.String()
    text = fields.String()
    anchor = fields.String()


class DocumentSchema(OutputSchema):
    """A document, without what stands in it."""

    key = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(DOCUMENT_KINDS))
    title = fields.String(required=True)
    state = fields.Function(
        state_of,
        metadata={
            "type": "string",
            "enum": ["learned", "stale"],
            "description": "`stale`: the last good copy of it.",
        },
    )
    problem = fields.String(metadata={"description": "Why it could not be learnt again."})
    pinned = fields.Boolean(attribute="is_pinned")
    url = fields.String()
    language = fields.String()
    learnt_at = fields.Integer(data_key="learntAt")
    changed_at = fields.Integer(data_key="changedAt")


class WholeDocumentSchema(DocumentSchema):
    """A document with what stands in it."""

    sections = fields.List(fields.Nested(SectionSchema), required=True)


class DocumentListSchema(OutputSchema):
    """Documents by key; the page without ``nextCursor`` is the last."""

    documents = fields.List(fields.Nested(DocumentSchema), required=True)
    version = fields.Integer()
    next_cursor = fields.String(data_key="nextCursor")


class StartedSchema(OutputSchema):
    """What was begun goes on by itself: its report tells how."""

    started = fields.Boolean(required=True)


class ReportSchema(OutputSchema):
    """How learning goes, or went; nothing but ``learning`` where nothing was learnt yet."""

    learning = fields.Boolean(required=True)
    report = fields.Dict(keys=fields.String(), values=fields.Raw())


class CorrectionSchema(OutputSchema):
    """The owner's answer to a question."""

    id = fields.String(required=True)
    question = fields.String(required=True)
    answer = fields.String(required=True)
    changed_at = fields.Integer(data_key="changedAt")


class CorrectionListSchema(OutputSchema):
    """Corrections; the page without ``nextCursor`` is the last."""

    corrections = fields.List(fields.Nested(CorrectionSchema), required=True)
    next_cursor = fields.String(data_key="nextCursor")


class GapSchema(OutputSchema):
    """A question that was asked in vain, with all that have the same words."""

    id = fields.String(
        required=True, metadata={"description": "That of the correction which would answer it."}
    )
    question = fields.String(required=True, metadata={"description": "As it was asked last."})
    count = fields.Integer(required=True)
    first_at = fields.Integer(data_key="firstAt")
    last_at = fields.Integer(data_key="lastAt")
    reasons = fields.Dict(keys=fields.String(), values=fields.Integer())
    page_url = fields.String(attribute="newest.page_url", data_key="pageUrl")
    conversation_id = fields.String(attribute="newest.conversation_id", data_key="conversationId")


class GapListSchema(OutputSchema):
    """Questions that were asked in vain, those asked most first."""

    gaps = fields.List(fields.Nested(GapSchema), required=True)


class PassageSchema(OutputSchema):
    """A piece of a document that was found."""

    key = fields.String(required=True)
    title = fields.String(required=True)
    heading = fields.String()
    url = fields.String()
    text = fields.String(required=True)
    tokens = fields.Integer()
    score = fields.Float()
    terms = fields.List(fields.String())
    is_correction = fields.Boolean(data_key="isCorrection")


class TrialSchema(OutputSchema):
    """What the chat would make of a question."""

    verdict = fields.String(
        required=True,
        validate=validate.OneOf(["owner", "passages", "unknown", "alone", "not_ready", "off"]),
    )
    words = fields.String(required=True, metadata={"description": "The verdict in words."})
    reply = fields.String(metadata={"description": "What is said where no model is asked."})
    sent = fields.String(metadata={"description": "The message as the model would get it."})
    tokens = fields.Integer(metadata={"description": "Of `sent`, by our own estimate."})
    passages = fields.List(fields.Nested(PassageSchema), attribute="found.passages", required=True)
    coverage = fields.Float(attribute="found.coverage")
    version = fields.Integer(attribute="found.version")
    duration_ms = fields.Float(attribute="found.duration_ms", data_key="durationMs")


@dataclass(frozen=True, slots=True)
class GapList:
    """Groups of questions, as a list of the API."""

    gaps: Sequence[GapGroup]
