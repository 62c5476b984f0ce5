"""The figures at the top of the overview: what is compared, and in which words."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.dashboard.tiles import make_tiles
from app.domain.figures import DayFigures
from app.domain.prices import Prices
from app.operations.statistics import Comparison, Latency, PeriodStatistics, Statistics

PRICES = Prices.parse("EUR gpt=1/2")


def a_period(**counts: int) -> PeriodStatistics:
    return PeriodStatistics(
        DayFigures("2026-11-22", **counts), Latency(None, None), Latency(None, None), None, ()
    )


@pytest.mark.parametrize(
    ("now", "before", "change"),
    [
        (110, 100, "+10 %"),
        (50, 100, "\N{MINUS SIGN}50 %"),
        (301, 20, "before: 20"),
        (1, 3, "before: 3"),
        (3, 0, None),
        (20, 20, "+0 %"),
    ],
)
def test_share_is_told_only_where_it_says_something(
    now: int, before: int, change: str | None
) -> None:
    total = a_period(conversations=now)
    found = Comparison(Statistics([total], total), a_period(conversations=before))

    conversations = make_tiles(found, PRICES.currency)[0]

    assert conversations.change == change


@pytest.mark.parametrize(
    ("cost", "unpriced", "told"),
    [
        ("0", ["llama"], "–"),
        ("1.5", ["llama"], "1.50\N{NARROW NO-BREAK SPACE}EUR"),
        ("0", [], "0.00"),
    ],
)
def test_cost_that_nobody_knows_is_not_nothing(cost: str, unpriced: list[str], told: str) -> None:
    total = replace(a_period(), cost=Decimal(cost), unpriced=unpriced)

    tile = make_tiles(Comparison(Statistics([total], total), total), PRICES.currency)[-1]

    assert tile.name == "Cost"
    assert tile.value.startswith(told)
