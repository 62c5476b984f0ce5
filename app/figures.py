"""What a day cost and brought, summed up while it happens."""

from dataclasses import dataclass, field

# Upper bounds of the latency classes, in ms; the last class is open.
LATENCY_BOUNDS_MS = (
    50, 100, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000, 7500, 10_000, 20_000, 30_000, 60_000,
)  # fmt: skip
_CLASSES = len(LATENCY_BOUNDS_MS) + 1


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One UTC day (``YYYY-MM-DD``).

    ``errors`` counts ended turns by status ``partial`` or ``error``;
    latencies are counted by class, see ``LATENCY_BOUNDS_MS``.
    """

    day: str
    conversations: int = 0
    turns: int = 0
    partial: int = 0
    errors: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    charged_tokens: int = 0
    thumbs_up: int = 0
    thumbs_down: int = 0
    limits_hit: int = 0
    first_token_classes: tuple[int, ...] = field(default=(0,) * _CLASSES)
    latency_classes: tuple[int, ...] = field(default=(0,) * _CLASSES)
