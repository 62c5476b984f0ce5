"""Charts: a top that nothing reaches above, labels that do not touch, lines with gaps."""

import pytest

from app.dashboard.charts import HEIGHT, Series, draw_bars, draw_lines, nice_top, pick_labels

DAYS = [f"2026-11-{day:02}" for day in range(1, 31)]


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (0.7, 0.8), (1, 1), (7, 8), (99, 100), (101, 200), (1000, 1000)]
)
def test_top_is_round_and_nothing_reaches_above(most: float, top: float) -> None:
    assert nice_top(most) == top


def test_last_period_has_its_label_and_few_others() -> None:
    labels = pick_labels(DAYS)

    assert labels[-1] == "30 Nov"
    assert sum(map(bool, labels)) < len(DAYS) / 2
    assert pick_labels(["2026-11-30T09"]) == ["09:00"]


def test_bars_stand_on_each_other() -> None:
    answered, failed = Series("Answered", "a", [3.0, 0.0]), Series("Failed", "b", [1.0, 0.0])

    chart = draw_bars("id", "Title", "", DAYS[:2], [answered, failed], str)

    lower, upper = chart.bars
    assert (lower.y, lower.height) == (HEIGHT / 4, HEIGHT * 3 / 4)
    assert (upper.y, upper.height) == (0, HEIGHT / 4)


def test_line_is_broken_where_a_value_is_missing() -> None:
    chart = draw_lines(
        "id", "Title", "", DAYS[:4], [Series("p50", "a", [1.0, 1.0, None, 1.0])], str
    )

    assert [line.is_dot for line in chart.lines] == [False, True]
    assert not chart.is_empty
    assert draw_lines("id", "Title", "", DAYS[:1], [Series("p50", "a", [None])], str).is_empty
