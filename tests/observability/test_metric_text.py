"""The text that Prometheus reads."""

from typing import TYPE_CHECKING

from app.observability.metric_text import COUNTERS, GAUGES, HISTOGRAMS
from app.observability.metrics import Metrics

if TYPE_CHECKING:
    pass


def test_every_figure_is_told_before_anything_happened() -> None:
    text = Metrics().render().decode()

    for name in (*HISTOGRAMS, *GAUGES, *(f"{counter}_total" for counter in COUNTERS)):
        assert f"# HELP {name} " in text
