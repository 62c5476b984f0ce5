"""The figures at the top of the overview."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from app.dashboard.rendering.formats import (
    to_count,
    to_money,
    to_seconds,
    to_share,
    to_short,
)
from app.operations.statistics import Comparison, PeriodStatistics

Trend = Literal["good", "bad", "even"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure, and how it compares with the time before."""

    name: str
    value: str
    note: str
    change: str | None = None
    trend: Trend = "even"


# Of fewer than these, a share says nothing, and of more than this much, a factor says it better.
_LEAST_COMPARED = 20
_MOST_PERCENT = 200


def make_tiles(found: Comparison, currency: str) -> list[Tile]:
    """Return the tiles, in order."""
    now, before = found.now.total, found.before
    figures, former = now.figures, before.figures
    rated = figures.thumbs_up + figures.thumbs_down
    tokens = figures.prompt_tokens + figures.completion_tokens
    tiles = [
        _counted("Conversations", figures.conversations, former.conversations, "started"),
        _counted("Visitors", figures.visitors, former.visitors, "each counted once a day"),
        _counted("Questions", figures.turns, former.turns, "answered or not"),
        _failures(now, before),
        _latency("First word", now, before),
        Tile(
            "Liked",
            to_share(figures.thumbs_up, rated),
            f"{to_count(figures.thumbs_up)} up, {to_count(figures.thumbs_down)} down",
        ),
        Tile(
            "Tokens",
            to_short(tokens),
            f"{to_short(figures.prompt_tokens)} in, {to_short(figures.completion_tokens)} out",
        ),
    ]
    if _is_grounded(now) or _is_grounded(before):
        tiles += _grounding(now, before)
    if now.cost is not None:
        tiles.append(_cost(now, before, currency))
    else:
        tiles.append(Tile("Limits hit", to_count(figures.limits_hit), "refused requests"))
    return tiles


def _is_grounded(period: PeriodStatistics) -> bool:
    figures = period.figures
    return bool(figures.grounded or figures.owner_answers or figures.unanswered)


def _grounding(now: PeriodStatistics, before: PeriodStatistics) -> list[Tile]:
    """Return how many of the questions that asked for something the pages answered."""
    (answered, asked), (answered_before, asked_before) = map(_answered, (now, before))
    share = answered / asked if asked else 0
    former = answered_before / asked_before if asked_before else 0
    trend: Trend = "even"
    if asked and asked_before and share != former:
        trend = "good" if share > former else "bad"
    figures = now.figures
    return [
        Tile(
            "Answered from your pages",
            to_share(answered, asked),
            f"{to_count(figures.grounded)} cited pages, "
            f"{to_count(figures.owner_answers)} in your own words",
            None if not asked_before else f"before: {to_share(answered_before, asked_before)}",
            trend,
        ),
        Tile(
            "Unanswered",
            to_count(figures.unanswered),
            "found or cited nothing",
            _change(figures.unanswered, before.figures.unanswered),
        ),
    ]


def _answered(period: PeriodStatistics) -> tuple[int, int]:
    figures = period.figures
    answered = figures.grounded + figures.owner_answers
    return answered, answered + figures.unanswered


def _counted(name: str, now: int, before: int, note: str) -> Tile:
    change = _change(now, before)
    trend: Trend = "even" if now == before or not before else "good" if now > before else "bad"
    return Tile(name, to_count(now), note, change, trend)


def _failures(now: PeriodStatistics, before: PeriodStatistics) -> Tile:
    figures, former = now.figures, before.figures
    bad, bad_before = figures.errors + figures.partial, former.errors + former.partial
    share = bad / figures.turns if figures.turns else 0
    share_before = bad_before / former.turns if former.turns else 0
    trend: Trend = "even" if share == share_before else "bad" if share > share_before else "good"
    return Tile(
        "Not answered whole",
        to_share(bad, figures.turns),
        f"{to_count(figures.errors)} failed, {to_count(figures.partial)} cut short",
        None if not former.turns else f"before: {to_share(bad_before, former.turns)}",
        trend,
    )


def _latency(name: str, now: PeriodStatistics, before: PeriodStatistics) -> Tile:
    p50, former = now.first_token.p50, before.first_token.p50
    trend: Trend = "even"
    if p50 is not None and former is not None and p50 != former:
        trend = "good" if p50 < former else "bad"
    change = None if former is None else f"before: {to_seconds(former)}"
    note = f"95 % within {to_seconds(now.first_token.p95)}"
    return Tile(name, to_seconds(p50), note, change, trend)


def _cost(now: PeriodStatistics, before: PeriodStatistics, currency: str) -> Tile:
    each = ""
    if now.cost and now.figures.conversations:
        each = f"{to_money(now.cost / now.figures.conversations, currency)} a conversation, "
    note = f"{each}before: {to_money(known_cost(before), currency)}"
    return Tile("Cost", to_money(known_cost(now), currency), note)


def known_cost(period: PeriodStatistics) -> Decimal | None:
    """Return what a period cost; ``None`` where no model that answered has a price."""
    return None if period.unpriced and not period.cost else period.cost


def _change(now: int, before: int) -> str | None:
    if not before:
        return None
    percent = round(100 * (now - before) / before)
    if before < _LEAST_COMPARED or percent > _MOST_PERCENT:
        return f"before: {to_count(before)}"
    return f"{percent:+} %".replace("-", "\N{MINUS SIGN}")
