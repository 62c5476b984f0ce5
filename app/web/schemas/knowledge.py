"""What we tell the operator's scripts about knowledge."""

from collections.abc import Sequence
from dataclasses import dataclass

from marshmallow import fields

from app.domain.knowledge import DocumentKind
from app.operations.knowledge.documents import state_of
from app.operations.knowledge.gaps import GapGroup
from app.operations.knowledge.trial import Verdict
from app.web.schemas.base import OutputSchema, one_of


class SectionSchema(OutputSchema):
    """A part of a document under one heading."""

    heading = fields.String()
    text = fields.String()
    anchor = fields.String()


class DocumentSchema(OutputSchema):
    """A document, without what stands in it."""

    key = fields.String(required=True)
    kind = fields.String(required=True, validate=one_of(DocumentKind))
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
    learnt_at = fields.Integer()
    changed_at = fields.Integer()


class WholeDocumentSchema(DocumentSchema):
    """A document with what stands in it."""

    sections = fields.List(fields.Nested(SectionSchema), required=True)


class DocumentListSchema(OutputSchema):
    """Documents by key; the page without ``nextCursor`` is the last."""

    documents = fields.List(fields.Nested(DocumentSchema), required=True)
    version = fields.Integer()
    next_cursor = fields.String()


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
    changed_at = fields.Integer()


class CorrectionListSchema(OutputSchema):
    """Corrections; the page without ``nextCursor`` is the last."""

    corrections = fields.List(fields.Nested(CorrectionSchema), required=True)
    next_cursor = fields.String()


class GapSchema(OutputSchema):
    """A question that was asked in vain, with all that have the same words."""

    id = fields.String(
        required=True, metadata={"description": "That of the correction which would answer it."}
    )
    question = fields.String(required=True, metadata={"description": "As it was asked last."})
    count = fields.Integer(required=True)
    first_at = fields.Integer()
    last_at = fields.Integer()
    reasons = fields.Dict(keys=fields.String(), values=fields.Integer())
    page_url = fields.String(attribute="newest.page_url")
    conversation_id = fields.String(attribute="newest.conversation_id")


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
    is_correction = fields.Boolean()


class TrialSchema(OutputSchema):
    """What the chat would make of a question."""

    verdict = fields.String(required=True, validate=one_of(Verdict))
    words = fields.String(required=True, metadata={"description": "The verdict in words."})
    reply = fields.String(metadata={"description": "What is said where no model is asked."})
    sent = fields.String(metadata={"description": "The message as the model would get it."})
    tokens = fields.Integer(metadata={"description": "Of `sent`, by our own estimate."})
    passages = fields.List(fields.Nested(PassageSchema), attribute="found.passages", required=True)
    coverage = fields.Float(attribute="found.coverage")
    version = fields.Integer(attribute="found.version")
    duration_ms = fields.Float(attribute="found.duration_ms")


@dataclass(frozen=True, slots=True)
class GapList:
    """Groups of questions, as a list of the API."""

    gaps: Sequence[GapGroup]
