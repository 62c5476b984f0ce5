"""What goes over the wire between us and the operator's scripts about figures."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from operator import attrgetter
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate

from app.domain.conversation import ASSISTANT_ID
from app.operations.statistics import Unit, utc_now
from app.web.schemas.chat import OutputSchema, matching
from app.web.schemas.queries import QuerySchema

MAX_DAYS = 366
# Figures of hours are kept no longer.
MAX_HOUR_DAYS = 7
_DEFAULT_DAYS = 30
# Within, a span of days before or after one is a time that Python knows.
_YEARS = validate.Range(date(1970, 1, 1), date(9999, 12, 30), error="Not a day from 1970 to 9999.")


@dataclass(frozen=True, slots=True)
class StatisticsQuery:
    """From which day or hour to which; both are included."""

    first: datetime
    last: datetime
    unit: Unit
    assistant: str | None = None


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
    assistant = matching(ASSISTANT_ID.pattern, "By default all.")

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
    grounded = fields.Integer(
        attribute="figures.grounded", metadata={"description": "Answers that name sources."}
    )
    unanswered = fields.Integer(
        attribute="figures.unanswered",
        metadata={"description": "Answers for which the pages had nothing, or that cite none."},
    )
    owner_answers = fields.Integer(
        attribute="figures.owner_answers",
        data_key="ownerAnswers",
        metadata={"description": "Answers in the owner's own words, without the model."},
    )
    handoffs = fields.Integer(
        attribute="figures.handoffs",
        metadata={"description": "How often a person was asked for, or took over."},
    )
    operator_answers = fields.Integer(
        attribute="figures.operator_answers",
        data_key="operatorAnswers",
        metadata={"description": "Messages of operators."},
    )
    waiting_ms = fields.Integer(
        attribute="figures.waiting_ms",
        data_key="waitingMs",
        metadata={
            "description": "How long those who asked for a person waited for the first words, "
            "all together."
        },
    )
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
