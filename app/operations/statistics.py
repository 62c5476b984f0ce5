"""The figures of days and hours, as an operator reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from app.domain.figures import DayFigures, percentile, sum_figures
from app.domain.prices import Prices
from app.storage.protocol import ConversationStore

Unit = Literal["day", "hour"]

_STEPS: Mapping[Unit, timedelta] = {"day": timedelta(days=1), "hour": timedelta(hours=1)}
# Of a period's name, the beginning of an ISO time.
_CHARS: Mapping[Unit, int] = {"day": len("2026-11-22"), "hour": len("2026-11-22T14")}


@dataclass(frozen=True, slots=True)
class Latency:
    """What half of the turns, and all but a twentieth, kept within; in ms."""

    p50: int | None
    p95: int | None


@dataclass(frozen=True, slots=True)
class PeriodStatistics:
    """A period's figures, and what follows from them.

    ``cost`` is ``None`` where no price is known, and leaves out the models
    in ``unpriced``.
    """

    figures: DayFigures
    first_token: Latency
    latency: Latency
    cost: Decimal | None
    unpriced: Sequence[str]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Periods without a gap, oldest first, and their sum."""

    periods: Sequence[PeriodStatistics]
    total: PeriodStatistics
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The last so many periods, and what as many before them added up to."""

    now: Statistics
    before: PeriodStatistics


def read_statistics(
    store: ConversationStore,
    prices: Prices,
    *,
    first: datetime,
    last: datetime,
    unit: Unit,
    assistant: str | None = None,
) -> Statistics:
    """Read the periods from that of ``first`` to that of ``last``, of one assistant or of all."""
    return _sum_up(_read(store, first, last, unit, assistant), prices)


def compare_statistics(
    store: ConversationStore,
    prices: Prices,
    *,
    count: int,
    unit: Unit,
    now: datetime,
    assistant: str | None = None,
) -> Comparison:
    """Read the last ``count`` periods, the current one included, and those before."""
    first = now - (2 * count - 1) * _STEPS[unit]
    periods = _read(store, first, now, unit, assistant)
    return Comparison(_sum_up(periods[count:], prices), _sum_up(periods[:count], prices).total)


def utc_now() -> datetime:
    """Return the moment, in UTC."""
    return datetime.now(UTC)


def _read(
    store: ConversationStore, first: datetime, last: datetime, unit: Unit, assistant: str | None
) -> list[DayFigures]:
    names = _periods(first, last, unit)
    stored = store.read_figures(names[0], names[-1], assistant)
    found = {figures.day: figures for figures in stored}
    return [found.get(name) or DayFigures(name) for name in names]


def _sum_up(periods: Sequence[DayFigures], prices: Prices) -> Statistics:
    return Statistics(
        [_describe(figures, prices) for figures in periods],
        _describe(sum_figures(periods[-1].day, periods), prices),
        prices.currency or None,
    )


def _periods(first: datetime, last: datetime, unit: Unit) -> list[str]:
    names: list[str] = []
    moment = first
    end = last.isoformat()[: _CHARS[unit]]
    while not names or names[-1] < end:
        names.append(moment.isoformat()[: _CHARS[unit]])
        moment += _STEPS[unit]
    return names


def _describe(figures: DayFigures, prices: Prices) -> PeriodStatistics:
    cost, unpriced = _cost(figures, prices)
    return PeriodStatistics(
        figures,
        first_token=_latency(figures.first_token_classes),
        latency=_latency(figures.latency_classes),
        cost=cost,
        unpriced=unpriced,
    )


def _latency(classes: Sequence[int]) -> Latency:
    return Latency(percentile(classes, 0.5), percentile(classes, 0.95))


def _cost(figures: DayFigures, prices: Prices) -> tuple[Decimal | None, list[str]]:
    if not prices.by_name:
        return None, []
    total, unpriced = Decimal(0), []
    for model, used in figures.models.items():
        # What no provider counted is a prompt for the most part.
        prompt = used.prompt_tokens + used.unrecorded_tokens
        cost = prices.cost(model, prompt, used.completion_tokens)
        if cost is None:
            unpriced.append(model)
        else:
            total += cost
    return total, unpriced
