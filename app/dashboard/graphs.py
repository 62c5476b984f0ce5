"""The charts of the overview."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.dashboard.charts import Chart, Series, draw_bars, draw_lines
from app.dashboard.operator_zone import to_local, zone_name
from app.dashboard.rendering.formats import (
    to_count,
    to_money,
    to_seconds,
    to_short,
)
from app.dashboard.tiles import known_cost
from app.operations.statistics import Statistics, Unit


@dataclass(frozen=True, slots=True)
class _Axis:
    """The periods of a chart by their names, and by which clock these are told."""

    periods: Sequence[str]
    words: str


def make_charts(found: Statistics, unit: Unit, currency: str) -> list[Chart]:
    """Return the charts, in order."""
    axis = _axis([period.figures.day for period in found.periods], unit)
    is_priced = found.total.cost is not None
    last = _costs(found, axis, currency) if is_priced else _visitors(found, axis)
    return [_questions(found, axis), _first_words(found, axis), _tokens(found, axis), last]


def _axis(periods: Sequence[str], unit: Unit) -> _Axis:
    if unit == "day":
        # Figures are kept by these days, and hours for a week only.
        return _Axis(periods, "Days in UTC")
    moments = (datetime.fromisoformat(f"{period}:00+00:00") for period in periods)
    names = [f"{to_local(moment):%Y-%m-%dT%H:%M}" for moment in moments]
    return _Axis(names, f"Hours in {zone_name()}")


def _questions(found: Statistics, axis: _Axis) -> Chart:
    figures = [period.figures for period in found.periods]
    return draw_bars(
        "questions",
        "Questions",
        f"{to_count(found.total.figures.turns)} in all",
        axis.periods,
        [
            Series(
                "Answered", "one", [each.turns - each.partial - each.errors for each in figures]
            ),
            Series("Cut short", "two", [each.partial for each in figures]),
            Series("Failed", "three", [each.errors for each in figures]),
        ],
        _write_count,
        axis.words,
    )


def _first_words(found: Statistics, axis: _Axis) -> Chart:
    return draw_lines(
        "latency",
        "Time to the first word",
        f"half within {to_seconds(found.total.first_token.p50)}",
        axis.periods,
        [
            Series("Half within", "one", [each.first_token.p50 for each in found.periods]),
            Series("95 % within", "two", [each.first_token.p95 for each in found.periods]),
        ],
        _write_seconds,
        axis.words,
    )


def _tokens(found: Statistics, axis: _Axis) -> Chart:
    figures = [period.figures for period in found.periods]
    total = found.total.figures
    return draw_bars(
        "tokens",
        "Tokens",
        f"{to_short(total.prompt_tokens + total.completion_tokens)} in all",
        axis.periods,
        [
            Series("Prompts", "one", [each.prompt_tokens for each in figures]),
            Series("Answers", "two", [each.completion_tokens for each in figures]),
        ],
        _write_short,
        axis.words,
    )


def _costs(found: Statistics, axis: _Axis, currency: str) -> Chart:
    def write(value: float | None) -> str:
        return to_money(None if value is None else Decimal(str(value)), currency)

    return draw_bars(
        "cost",
        "Cost",
        f"{to_money(known_cost(found.total), currency)} in all",
        axis.periods,
        [Series("Cost", "one", [float(each.cost or 0) for each in found.periods])],
        write,
        axis.words,
    )


def _visitors(found: Statistics, axis: _Axis) -> Chart:
    return draw_bars(
        "visitors",
        "Visitors",
        f"{to_count(found.total.figures.visitors)} in all, each counted once a day",
        axis.periods,
        [Series("Visitors", "one", [each.figures.visitors for each in found.periods])],
        _write_count,
        axis.words,
    )


def _write_count(value: float | None) -> str:
    return to_count(round(value or 0))


def _write_short(value: float | None) -> str:
    return to_short(round(value or 0))


def _write_seconds(value: float | None) -> str:
    return to_seconds(None if value is None else round(value))
