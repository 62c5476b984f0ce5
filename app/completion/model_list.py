"""The models that a server lists: ``GET /models``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from jiter import from_json

_MAX_MODELS = 5000


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model of a server's list; ``shutdown`` where it tells when it ends."""

    name: str
    shutdown: date | None = None


def read_models(body: bytes) -> Sequence[ListedModel]:
    """Read a list of models; what makes no sense is left out."""
    try:
        told = from_json(body)
    except ValueError:
        return ()
    rows = told.get("data", told.get("models")) if isinstance(told, dict) else told
    if not isinstance(rows, list):
        return ()
    read = [_read_model(row) for row in rows[:_MAX_MODELS] if isinstance(row, dict)]
    return tuple(model for model in read if model is not None)


def _read_model(row: dict[str, Any]) -> ListedModel | None:
    name = row.get("id") or row.get("name")
    if not isinstance(name, str):
        return None
    # Gemini lists `models/gemini-…`, which it takes by either name.
    name = name.removeprefix("models/")
    told = (row.get("shutdown_date"), row.get("deprecation"), row.get("expiration_date"))
    return ListedModel(name, next((day for each in told if (day := _read_day(each))), None))


def _read_day(told: Any) -> date | None:
    """Read a day, an instant in ISO 8601, or seconds since the epoch."""
    try:
        if isinstance(told, str):
            return datetime.fromisoformat(told).date()
        if isinstance(told, int | float) and not isinstance(told, bool):
            return datetime.fromtimestamp(told, UTC).date()
    except (ValueError, OverflowError, OSError):
        pass
    return None
