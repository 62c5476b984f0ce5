"""How figures of several periods become one."""

from app.domain.conversation import Answer, Usage
from app.domain.figures import (
    COUNTED,
    DayFigures,
    ModelFigures,
    sum_figures,
    to_figures,
    turn_counts,
)


def test_periods_add_up_name_by_name() -> None:
    counts = {name: number for number, name in enumerate(COUNTED, 1)}
    first = to_figures("2026-11-21", {**counts, "latency.3": 2, "prompt_tokens:small": 10})
    second = to_figures(
        "2026-11-22",
        {**counts, "latency.3": 1, "first_token.16": 4, "prompt_tokens:small": 5,
         "completion_tokens:small": 7, "unrecorded_tokens:large": 9},
    )  # fmt: skip

    total = sum_figures("2026-11-22", [first, second])

    assert total == DayFigures(
        day="2026-11-22",
        **{name: 2 * count for name, count in counts.items()},
        first_token_classes=(*(0,) * 16, 4),
        latency_classes=(0, 0, 0, 3, *(0,) * 13),
        models={
            "large": ModelFigures(unrecorded_tokens=9),
            "small": ModelFigures(prompt_tokens=15, completion_tokens=7),
        },
    )


def test_nothing_adds_up_to_nothing() -> None:
    assert sum_figures("2026-11-22", []) == DayFigures("2026-11-22")


def test_tokens_that_nobody_saw_are_counted_where_they_are_told() -> None:
    thought = Answer("Hi", "complete", model="m", usage=Usage(9, 5, 4))
    plain = Answer("Hi", "complete", model="m", usage=Usage(9, 5))

    assert turn_counts(thought)["reasoning_tokens"] == 4
    assert "reasoning_tokens" not in turn_counts(plain)
    assert to_figures("2026-11-21", turn_counts(thought)).told_reasoning_tokens == 4
    assert to_figures("2026-11-21", turn_counts(plain)).told_reasoning_tokens is None
