"""What goes over the wire between us and the operator's scripts about figures."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from operator import attrgetter
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate

from app.domain.conversation import ASSISTANT_ID
from app.domain.figures import COUNTED
from app.operations.statistics import Unit, utc_now
from app.web.schemas.base import OutputSchema, matching, one_of
from app.web.schemas.queries import QuerySchema

MAX_DAYS = 366
# Figures of hours are kept no longer.
MAX_HOUR_DAYS = 7
_DEFAULT_DAYS = 30
# Within, a span of days before or after one is a time that Python knows.
_YEARS = validate.Range(date(1970, 1, 1), date(9999, 12, 30), error="Not a day from 1970 to 9999.")


class StatisticsQuerySchema(QuerySchema):
    """From which day to which; both are included."""

    first = fields.Date(
        data_key="from", validate=_YEARS, metadata={"description": "By default 30 days."}
    )
    last = fields.Date(
        data_key="to", validate=_YEARS, metadata={"description": "By default today (UTC)."}
    )
    unit = fields.String(data_key="by", load_default="day", validate=one_of(Unit))
    assistant = matching(ASSISTANT_ID.pattern, "By default all.")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Make times of the days."""
        last = data.get("last") or utc_now().date()
        unit: Unit = data["unit"]
        default_days = 1 if unit == "hour" else _DEFAULT_DAYS
        first = data.get("first") or last - timedelta(days=default_days - 1)
        most = MAX_HOUR_DAYS if unit == "hour" else MAX_DAYS
        if not timedelta(0) <= last - first < timedelta(days=most):
            raise ValidationError(f"Not one to {most} days from `from`.", "to")
        return {
            **data,
            "first": datetime.combine(first, time(0), UTC),
            "last": datetime.combine(last, time(23), UTC),
        }


class ValueSchema(OutputSchema):
    """Frozen values that come by the thousand: read as they are, without a search for keys."""

    def dump(self, obj: Any, *, many: bool | None = None) -> dict[str, Any]:
        """Convert a value; there are never many at once."""
        return {
            str(field.data_key): value
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

    prompt_tokens = fields.Integer()
    completion_tokens = fields.Integer()
    unrecorded_tokens = fields.Integer(
        metadata={"description": "Charged by estimate: the provider told no usage."}
    )


class FiguresSchema(ValueSchema):
    """What a time brought and cost."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Find what is counted where it stands: in the figures."""
        super().on_bind_field(field_name, field_obj)
        if field_name in COUNTED:
            field_obj.attribute = field_obj.attribute or f"figures.{field_name}"

    conversations = fields.Integer()
    visitors = fields.Integer(
        metadata={"description": "Sessions that asked something; each counts once a day."}
    )
    turns = fields.Integer()
    partial_turns = fields.Integer(attribute="figures.partial", data_key="partial")
    errors = fields.Integer()
    prompt_tokens = fields.Integer()
    completion_tokens = fields.Integer()
    reasoning_tokens = fields.Integer(
        attribute="figures.told_reasoning_tokens",
        metadata={"description": "Those of the completions that nobody saw, where told."},
    )
    charged_tokens = fields.Integer()
    thumbs_up = fields.Integer()
    thumbs_down = fields.Integer()
    limits_hit = fields.Integer()
    grounded = fields.Integer(metadata={"description": "Answers that name sources."})
    unanswered = fields.Integer(
        metadata={"description": "Answers for which the pages had nothing, or that cite none."}
    )
    owner_answers = fields.Integer(
        metadata={"description": "Answers in the owner's own words, without the model."}
    )
    handoffs = fields.Integer(
        metadata={"description": "How often a person was asked for, or took over."}
    )
    operator_answers = fields.Integer(metadata={"description": "Messages of operators."})
    waiting_ms = fields.Integer(
        metadata={
            "description": "How long those who asked for a person waited for the first words, "
            "all together."
        }
    )
    first_token_ms = fields.Nested(LatencySchema, attribute="first_token")
    latency_ms = fields.Nested(LatencySchema, attribute="latency")
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
