"""The charts of the overview."""

from collections.abc import Sequence
from decimal import Decimal

from app.statistics import Statistics
from app.web.charts import Chart, Series, draw_bars, draw_lines
from app.web.formats import to_count, to_money, to_seconds, to_short


def make_charts(found: Statistics) -> list[Chart]:
    """Return the charts, in order."""
    periods = [period.figures.day for period in found.periods]
    last = _costs(found, periods) if found.total.cost is not None else _visitors(found, periods)
    return [_questions(found, periods), _first_words(found, periods), _tokens(found, periods), last]


def _questions(found: Statistics, periods: Sequence[str]) -> Chart:
    figures = [period.figures for period in found.periods]
    return draw_bars(
        "questions",
        "Questions",
        f"{to_count(found.total.figures.turns)} in all",
        periods,
        [
            Series(
                "Answered", "one", [each.turns - each.partial - each.errors for each in figures]
            ),
            Series("Cut short", "two", [each.partial for each in figures]),
            Series("Failed", "three", [each.errors for each in figures]),
        ],
        _write_count,
    )


def _first_words(found: Statistics, periods: Sequence[str]) -> Chart:
    return draw_lines(
        "latency",
        "Time to the first word",
        f"half within {to_seconds(found.total.first_token.p50)}",
        periods,
        [
            Series("Half within", "one", [each.first_token.p50 for each in found.periods]),
            Series("95 % within", "two", [each.first_token.p95 for each in found.periods]),
        ],
        _write_seconds,
    )


def _tokens(found: Statistics, periods: Sequence[str]) -> Chart:
    figures = [period.figures for period in found.periods]
    total = found.total.figures
    return draw_bars(
        "tokens",
        "Tokens",
        f"{to_short(total.prompt_tokens + total.completion_tokens)} in all",
        periods,
        [
            Series("Prompts", "one", [each.prompt_tokens for each in figures]),
            Series("Answers", "two", [each.completion_tokens for each in figures]),
        ],
        _write_short,
    )


def _costs(found: Statistics, periods: Sequence[str]) -> Chart:
    return draw_bars(
        "cost",
        "Cost",
        f"{to_money(found.total.cost)} in all",
        periods,
        [Series("Cost", "one", [float(each.cost or 0) for each in found.periods])],
        _write_money,
    )


def _visitors(found: Statistics, periods: Sequence[str]) -> Chart:
    return draw_bars(
        "visitors",
        "Visitors",
        f"{to_count(found.total.figures.visitors)} in all, once a day each",
        periods,
        [Series("Visitors", "one", [each.figures.visitors for each in found.periods])],
        _write_count,
    )


def _write_count(value: float | None) -> str:
    return to_count(round(value or 0))


def _write_short(value: float | None) -> str:
    return to_short(round(value or 0))


def _write_seconds(value: float | None) -> str:
    return to_seconds(None if value is None else round(value))


def _write_money(value: float | None) -> str:
    return to_money(None if value is None else Decimal(str(value)))
