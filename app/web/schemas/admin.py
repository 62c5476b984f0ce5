"""What goes over the wire between us and the operator's scripts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from operator import attrgetter
from typing import Any

from marshmallow import RAISE, ValidationError, fields, post_load, validate, validates_schema

from app.domain.conversation import ASSISTANT_ID, ConversationFilter
from app.operations.export import SEPARATORS, Format
from app.operations.statistics import Unit, utc_now
from app.web.schemas.chat import (
    ConversationSchema,
    InputSchema,
    MessageSchema,
    OutputSchema,
    PlainInteger,
)

MAX_THREAD_PAGE = 1000
MAX_DAYS = 366
# Figures of hours are kept no longer.
MAX_HOUR_DAYS = 7
_DEFAULT_DAYS = 30
_MS = re.compile(r"[0-9]{1,15}")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_MS = 24 * 60 * 60 * 1000
# Within, a span of days before or after one is a time that Python knows.
_YEARS = validate.Range(date(1970, 1, 1), date(9999, 12, 30), error="Not a day from 1970 to 9999.")
_CURSOR = validate.Length(1, 512)
_ASSISTANT = validate.Regexp(ASSISTANT_ID, error="No id: small letters, digits and hyphens.")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which page of which conversations is asked for."""

    limit: int
    where: ConversationFilter
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class ThreadQuery:
    """Which page of a conversation is asked for; without a limit, all of it."""

    limit: int | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteQuery:
    """Whose conversations are to go: a session's, or a user's."""

    session_id: str | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True)
class ExportQuery:
    """What is to be exported, and how it is written."""

    format: Format
    bom: bool | None
    separator: str
    where: ConversationFilter


@dataclass(frozen=True, slots=True)
class StatisticsQuery:
    """From which day or hour to which; both are included."""

    first: datetime
    last: datetime
    unit: Unit
    assistant: str | None = None


class Moment(fields.Field[int]):
    """A time: ms since the Unix epoch, or ISO 8601 (UTC where it names no zone).

    A day alone is its beginning, or where ``ends`` is set its end.
    """

    def __init__(self, *, ends: bool = False, **kwargs: Any) -> None:
        forms = [
            {"type": "string", "format": "date"},
            {"type": "string", "pattern": f"^{_MS.pattern}$"},
        ]
        super().__init__(metadata={"anyOf": forms, **kwargs.pop("metadata", {})}, **kwargs)
        self._ends = ends

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        text = str(value)
        if _MS.fullmatch(text):
            return int(text)
        try:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            # Added as a number: the last day of the calendar has no next one.
            is_day = self._ends and _ISO_DAY.fullmatch(text)
            return max(0, round(moment.timestamp() * 1000) + (_DAY_MS if is_day else 0))
        except (ValueError, OverflowError):
            raise ValidationError("Not a time: use 2026-11-22, or ms since 1970.") from None


class Choice(fields.Boolean):
    """``true`` or ``false``, as a query writes them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(truthy={"true", "1"}, falsy={"false", "0"}, **kwargs)


class QuerySchema(InputSchema):
    """A query of the operator's: a name that we do not know would narrow nothing in silence."""

    class Meta:
        """What Marshmallow must know."""

        unknown = RAISE

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        names = (each.data_key or name for name, each in self.fields.items())
        self.error_messages["unknown"] = f"Not a parameter. Known are: {', '.join(names)}."


class FilterSchema(QuerySchema):
    """What a list is narrowed to."""

    q = fields.String(
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
    feedback = fields.String(validate=validate.OneOf(["up", "down"]))
    status = fields.String(validate=validate.OneOf(["complete", "partial", "error"]))
    page = fields.String(
        validate=validate.Length(1, 2048), metadata={"description": "The URL begins so."}
    )
    user = fields.String(validate=validate.Length(1, 256))
    assistant = fields.String(validate=_ASSISTANT)


def take_filter(data: dict[str, Any]) -> ConversationFilter:
    """Take a filter's fields out of loaded data."""
    found = {name: data.pop(name) for name in FilterSchema().fields if name in data}
    return ConversationFilter(text=found.pop("q", None), **found)


class ListQuerySchema(FilterSchema):
    """Which page of which conversations is asked for."""

    limit = PlainInteger(load_default=100, validate=validate.Range(1, 200))
    cursor = fields.String(validate=_CURSOR)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ListQuery:
        """Make the value."""
        where = take_filter(data)
        return ListQuery(where=where, **data)


class ThreadQuerySchema(QuerySchema):
    """Which page of a conversation is asked for; without a limit, all of it."""

    limit = PlainInteger(validate=validate.Range(1, MAX_THREAD_PAGE))
    cursor = fields.String(validate=_CURSOR)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ThreadQuery:
        """Make the value."""
        return ThreadQuery(**data)


class DeleteQuerySchema(QuerySchema):
    """Whose conversations are to go: a session's, or a user's."""

    session_id = fields.String(validate=validate.Length(1, 128), data_key="sessionId")
    user = fields.String(validate=validate.Length(1, 256))

    @validates_schema
    def name_one(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a query that names nobody, or two."""
        if len(data) != 1:
            raise ValidationError("Name either a sessionId or a user.", "sessionId")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> DeleteQuery:
        """Make the value."""
        return DeleteQuery(**data)


class ExportQuerySchema(FilterSchema):
    """What is to be exported, and how it is written."""

    format = fields.String(load_default="jsonl", validate=validate.OneOf(["jsonl", "csv"]))
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

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ExportQuery:
        """Make the value."""
        where = take_filter(data)
        separator = SEPARATORS[data.pop("separator")]
        return ExportQuery(where=where, separator=separator, **data)


class StatisticsQuerySchema(QuerySchema):
    """From which day to which; both are included."""

    first = fields.Date(
        data_key="from", validate=_YEARS, metadata={"description": "By default 30 days."}
    )
    last = fields.Date(
        data_key="to", validate=_YEARS, metadata={"description": "By default today (UTC)."}
    )
    unit = fields.String(
        data_key="by", load_default="day", validate=validate.OneOf(["day", "hour"])
    )
    assistant = fields.String(validate=_ASSISTANT, metadata={"description": "By default all."})

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> StatisticsQuery:
        """Make the value."""
        last = data.get("last") or utc_now().date()
        unit: Unit = data["unit"]
        default_days = 1 if unit == "hour" else _DEFAULT_DAYS
        first = data.get("first") or last - timedelta(days=default_days - 1)
        most = MAX_HOUR_DAYS if unit == "hour" else MAX_DAYS
        if not timedelta(0) <= last - first < timedelta(days=most):
            raise ValidationError(f"Not one to {most} days from `from`.", "to")
        return StatisticsQuery(
            datetime.combine(first, time(0), UTC),
            datetime.combine(last, time(23), UTC),
            unit,
            data.get("assistant"),
        )


class ConversationListSchema(OutputSchema):
    """A page of conversations, newest-updated first."""

    conversations = fields.List(fields.Nested(ConversationSchema), required=True)
    total = fields.Integer(metadata={"description": "Of all; absent under a filter."})
    next_cursor = fields.String(data_key="nextCursor")
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
    next_cursor = fields.String(data_key="nextCursor")


class DeletedSchema(OutputSchema):
    """How many conversations are gone."""

    deleted = fields.Integer(required=True)


class ValueSchema(OutputSchema):
    """Frozen values that come by the thousand: read as they are, without a search for keys."""

    def dump(self, obj: Any, *, many: bool | None = None) -> dict[str, Any]:
        """Convert a value; there are never many at once."""
        return {
            field.data_key or name: value
            for name, field in self.dump_fields.items()
            if (value := field.serialize(name, obj, _read_attribute)) is not None
        }


_reader = cache(attrgetter)


def _read_attribute(value: Any, path: str, _default: Any) -> Any:
    return _reader(path)(value)


class LatencySchema(ValueSchema):
    """What half of the turns, and all but a twentieth, kept within; in ms."""

    p50 = fields.Integer()
    p95 = fields.Integer()


class ModelFiguresSchema(ValueSchema):
    """What one model used."""

    prompt_tokens = fields.Integer(data_key="promptTokens")
    completion_tokens = fields.Integer(data_key="completionTokens")
    unrecorded_tokens = fields.Integer(
        data_key="unrecordedTokens",
        metadata={"description": "Charged by estimate: the provider told no usage."},
    )


class FiguresSchema(ValueSchema):
    """What a time brought and cost."""

    conversations = fields.Integer(attribute="figures.conversations")
    visitors = fields.Integer(
        attribute="figures.visitors",
        metadata={"description": "Sessions that asked something; each counts once a day."},
    )
    turns = fields.Integer(attribute="figures.turns")
    partial_turns = fields.Integer(attribute="figures.partial", data_key="partial")
    errors = fields.Integer(attribute="figures.errors")
    prompt_tokens = fields.Integer(attribute="figures.prompt_tokens", data_key="promptTokens")
    completion_tokens = fields.Integer(
        attribute="figures.completion_tokens", data_key="completionTokens"
    )
    reasoning_tokens = fields.Integer(
        attribute="figures.told_reasoning_tokens",
        data_key="reasoningTokens",
        metadata={"description": "Those of the completions that nobody saw, where told."},
    )
    charged_tokens = fields.Integer(attribute="figures.charged_tokens", data_key="chargedTokens")
    thumbs_up = fields.Integer(attribute="figures.thumbs_up", data_key="thumbsUp")
    thumbs_down = fields.Integer(attribute="figures.thumbs_down", data_key="thumbsDown")
    limits_hit = fields.Integer(attribute="figures.limits_hit", data_key="limitsHit")
    first_token_ms = fields.Nested(LatencySchema, attribute="first_token", data_key="firstTokenMs")
    latency_ms = fields.Nested(LatencySchema, attribute="latency", data_key="latencyMs")
    models = fields.Dict(
        keys=fields.String(), values=fields.Nested(ModelFiguresSchema), attribute="figures.models"
    )
    cost = fields.Float(metadata={"description": "By MODEL_PRICES, in its currency."})
    unpriced = fields.List(
        fields.String(), metadata={"description": "Models that MODEL_PRICES does not name."}
    )


class PeriodSchema(FiguresSchema):
    """A day's figures, or an hour's."""

    period = fields.String(
        required=True,
        attribute="figures.day",
        metadata={"description": "2026-11-22, or 2026-11-22T14; UTC."},
    )


class StatisticsSchema(OutputSchema):
    """Periods without a gap, oldest first, and their sum."""

    periods = fields.List(fields.Nested(PeriodSchema), required=True)
    total = fields.Nested(FiguresSchema, required=True)
    currency = fields.String(metadata={"description": "Of all costs, where MODEL_PRICES names it."})
