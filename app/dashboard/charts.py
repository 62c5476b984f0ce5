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
# As many as a phone has room for.
_MANY_LABELS = 4


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
    """A line without gaps, as an SVG path; a dot is a line of one point."""

    path: str
    colour: str
    is_dot: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """What a template needs to draw one chart and to tell it in a table.

    ``axis`` says what the periods are, and by which clock.
    """

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
    axis: str

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
    axis: str = "",
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
    return Chart(chart_id, title, summary, periods, labels, series, top, bars, (), write, axis)


def draw_lines(
    chart_id: str,
    title: str,
    summary: str,
    periods: Sequence[str],
    series: Sequence[Series],
    write: Callable[[float | None], str],
    axis: str = "",
) -> Chart:
    """Draw lines; where a value is missing they are broken."""
    known = [value for each in series for value in each.values if value is not None]
    top = nice_top(max(known, default=0))
    lines = [line for each in series for line in _lines(each, top)]
    labels = pick_labels(periods)
    return Chart(chart_id, title, summary, periods, labels, series, top, (), lines, write, axis)


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
    moment = datetime.fromisoformat(period)
    return f"{moment:%H:%M}" if len(period) > 10 else f"{moment.day} {moment:%b}"


def _lines(series: Series, top: float) -> list[Line]:
    """Return a line for each stretch without a gap."""
    found: list[Line] = []
    points: list[str] = []
    for at, value in enumerate([*series.values, None]):
        if value is not None:
            points.append(f"{at + 0.5:g} {round(HEIGHT * (1 - value / top), 2):g}")
        elif points:
            # A path of no length shows the round cap of its stroke.
            path = "M" + "L".join(points if len(points) > 1 else points * 2)
            found.append(Line(path, series.colour, is_dot=len(points) == 1))
            points = []
    return found
