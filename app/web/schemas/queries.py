"""How the operator's scripts ask: what stands behind the question mark of any query."""

import re
from datetime import UTC, datetime
from typing import Any

from marshmallow import RAISE, ValidationError, fields, validate

from app.web.schemas.base import InputSchema

IS_CURSOR = validate.Length(1, 512)
_MS = re.compile(r"[0-9]{1,15}")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_MS = 24 * 60 * 60 * 1000


class QuerySchema(InputSchema):
    """A query of the operator's: a name that we do not know would narrow nothing in silence."""

    class Meta:
        """What Marshmallow must know."""

        unknown = RAISE

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        names = ", ".join(str(each.data_key) for each in self.fields.values())
        self.error_messages["unknown"] = f"Not a parameter. Known are: {names}."


class PlainInteger(fields.Integer):
    """An integer as the document says it is written: no sign, no `1_0`, no Arabic digits."""

    def _validated(self, value: Any) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", str(value)):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class Choice(fields.Boolean):
    """``true`` or ``false``, as a query writes them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(truthy={"true", "1"}, falsy={"false", "0"}, **kwargs)


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
