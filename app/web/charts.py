"""Charts as numbers, for a template to draw without any script.

A chart is 100 high, and one wide for each of its points; the page stretches
it. Text stands beside it in HTML, or it would be stretched as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, log10

HEIGHT = 100.0
_GAP = 0.22
_NICE = (1, 2, 3, 4, 5, 6, 8, 10)
_MANY_LABELS = 6


@dataclass(frozen=True, slots=True)
class Series:
    """One thing that is drawn, and the class that gives it its colour."""

    name: str
    colour: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of a stack."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line without gaps, as an SVG path."""

    path: str
    colour: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What a template needs to draw one chart and to tell it in a table."""

    id: str
    title: str
    summary: str
    periods: Sequence[str]
    labels: Sequence[str]
    series: Sequence[Series]
    top: float
    bars: Sequence[Bar]
    lines: Sequence[Line]
    format: Callable[[float | None], str]

    @property
    def width(self) -> int:
        """How many points there are."""
        return len(self.periods)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.bars and not self.lines


def draw_bars(
    chart_id: str,
    title: str,
    summary: str,
    periods: Sequence[str],
    series: Sequence[Series],
    write: Callable[[float | None], str],
) -> Chart:
    """Draw stacks, the first series at the bottom."""
    sums = [sum(each.values[at] or 0 for each in series) for at in range(len(periods))]
    top = nice_top(max(sums, default=0))
    bars: list[Bar] = []
    for at in range(len(periods)):
        y = HEIGHT
        for each in series:
            height = HEIGHT * (each.values[at] or 0) / top
            y -= height
            if height:
                bars.append(
                    Bar(
                        round(at + _GAP / 2, 3), round(y, 2), 1 - _GAP, round(height, 2),
                        each.colour,
                    )
                )  # fmt: skip
    labels = pick_labels(periods)
    return Chart(chart_id, title, summary, periods, labels, series, top, bars, (), write)


def draw_lines(
    chart_id: str,
    title: str,
    summary: str,
    periods: Sequence[str],
    series: Sequence[Series],
    write: Callable[[float | None], str],
) -> Chart:
    """Draw lines; where a value is missing they are broken."""
    known = [value for each in series for value in each.values if value is not None]
    top = nice_top(max(known, default=0))
    lines = [Line(path, each.colour) for each in series if (path := _path(each.values, top))]
    labels = pick_labels(periods)
    return Chart(chart_id, title, summary, periods, labels, series, top, (), lines, write)


def nice_top(most: float) -> float:
    """Return a round number that nothing reaches above."""
    if most <= 0:
        return 1
    size = 10 ** (ceil(log10(most)) - 1)
    return float(next(step * size for step in _NICE if step * size >= most * 0.999999))


def pick_labels(periods: Sequence[str]) -> list[str]:
    """Return what stands below each point: mostly nothing, but the last has its name."""
    every = ceil(len(periods) / _MANY_LABELS)
    return [
        to_label(period) if (len(periods) - 1 - at) % every == 0 else ""
        for at, period in enumerate(periods)
    ]


def to_label(period: str) -> str:
    """Return a day, or an hour, in a few characters."""
    moment = datetime.fromisoformat(period if len(period) == 10 else f"{period}:00")
    return f"{moment:%H:%M}" if len(period) > 10 else f"{moment.day} {moment:%b}"


def _path(values: Sequence[float | None], top: float) -> str:
    parts: list[str] = []
    is_down = False
    for at, value in enumerate(values):
        if value is None:
            is_down = False
            continue
        y = round(HEIGHT * (1 - value / top), 2)
        # A dash, so that a point between two gaps can be seen.
        parts.append(f"{'L' if is_down else 'M'}{at + 0.42:g} {y:g}L{at + 0.58:g} {y:g}")
        is_down = True
    return "".join(parts)
