"""Every figure that Prometheus may ask for: names, meanings, and the text that tells them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Literal, TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from app.observability.metric_values import Key, Values

T = TypeVar("T")

COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "perch_requests": ("Requests, when their headers left", ("method", "route", "status")),
    "perch_errors": ("Requests that were answered with an error, by its code", ("code",)),
    "perch_turns": (
        "Turns that ended: done, repeated, left, stopped, or an error's code",
        ("outcome", "protocol"),
    ),
    "perch_grounded_answers": (
        "Answers for which pages were looked into: cited, small_talk, owner, or what was missing",
        ("result",),
    ),
    "perch_tokens": ("Tokens as the model's provider counted them", ("kind",)),
    "perch_deltas": ("Pieces of text that models sent", ()),
    "perch_breaker_openings": ("How often a worker began to leave the model alone", ()),
    "perch_budget_refused_turns": ("Turns refused because a budget was spent", ()),
    "perch_budget_near_days": ("Days on which a worker saw 80 % of the budget spent", ()),
    "perch_budget_estimated_tokens": ("Prompt tokens as estimated, where usage was recorded", ()),
    "perch_budget_recorded_tokens": ("Prompt tokens of the same turns, as recorded", ()),
}  # fmt: skip
HISTOGRAMS: dict[str, tuple[str, tuple[str, ...], tuple[float, ...]]] = {
    "perch_first_token_seconds": (
        "From the question to the first token of its answer", (),
        (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0),
    ),
    "perch_turn_seconds": (
        "From the question to the stored answer", (),
        (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0),
    ),
    "perch_find_seconds": (
        "Looking into the pages for a question", (),
        (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
    ),
    "perch_storage_seconds": (
        "Calls of the store", ("call", "outcome"),
        (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
    ),
}  # fmt: skip
GAUGES: dict[str, tuple[str, Literal["sum", "max"]]] = {
    "perch_workers": ("Workers that serve", "sum"),
    "perch_running_turns": ("Turns that run now", "sum"),
    "perch_waiting_visitors": ("Visitors who wait for a person's words now", "sum"),
    "perch_spooled_answers": ("Answers that wait for the store", "sum"),
    "perch_breaker_open": ("1 while a worker leaves the model alone", "max"),
    "perch_model_misconfigured": ("1 while its provider refuses what only you can mend", "max"),
    "perch_budget_tokens": ("The day's budget; 0 is none", "max"),
    "perch_budget_spent_tokens": ("Held or spent of it since midnight (UTC)", "max"),
}


def to_text(counts: Values, gauges: Mapping[Key, Sequence[float]]) -> bytes:
    """Return figures in Prometheus's format; of a gauge, what each worker tells."""
    registry = CollectorRegistry()
    registry.register(_Told(counts, gauges))
    return generate_latest(registry)


class _Told(Collector):
    """Figures as Prometheus's client takes them."""

    def __init__(self, counts: Values, gauges: Mapping[Key, Sequence[float]]) -> None:
        self._counts = counts
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, those that are still empty included."""
        for name, (text, labels) in COUNTERS.items():
            counter = CounterMetricFamily(name, text, labels=labels)
            for key, amount in _of(name, self._counts.counters):
                counter.add_metric(key[1:], amount)
            yield counter
        for name, (text, labels, bounds) in HISTOGRAMS.items():
            histogram = HistogramMetricFamily(name, text, labels=labels)
            for key, classes in _of(name, self._counts.histograms):
                histogram.add_metric(key[1:], _cumulated(bounds, classes), classes[-1])
            yield histogram
        for name, (text, how) in GAUGES.items():
            told = self._gauges.get((name,), [0.0])
            yield GaugeMetricFamily(name, text, value=sum(told) if how == "sum" else max(told))


def _of(name: str, figures: Mapping[Key, T]) -> list[tuple[Key, T]]:
    return sorted((key, figure) for key, figure in figures.items() if key[0] == name)


def _cumulated(bounds: Sequence[float], classes: Sequence[float]) -> list[tuple[str, float]]:
    # Prometheus counts in each class what lies in those below it, too.
    uppers = [*map(floatToGoString, bounds), "+Inf"]
    return list(zip(uppers, accumulate(classes[:-1]), strict=True))
