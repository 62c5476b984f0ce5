"""What a day cost and brought, summed up while it happens.

Stores keep counts by name for each UTC day and hour; what the names mean is
decided here alone.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from app.domain.conversation import Answer

# Upper bounds of the latency classes, in ms; the last class is open.
LATENCY_BOUNDS_MS = (
    50, 100, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000, 7500, 10_000, 20_000, 30_000, 60_000,
)  # fmt: skip
_CLASSES = len(LATENCY_BOUNDS_MS) + 1

Counts = Mapping[str, int]
"""What to add to a period's figures, by name.

Names are ASCII. One with a point counts a latency class, ``latency.3``; one
with a colon what a model used, ``prompt_tokens:gpt-4.1-mini``.
"""

_NO_CLASSES = (0,) * _CLASSES
_CLASS_NAMES = {
    name: tuple(f"{name}.{number}" for number in range(_CLASSES))
    for name in ("first_token", "latency")
}
_MAX_MODEL_CHARS = 80


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """What one model used; ``unrecorded_tokens`` are charged, but no provider counted them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    unrecorded_tokens: int = 0


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One UTC day (``YYYY-MM-DD``), or one hour of it (``YYYY-MM-DDTHH``).

    ``turns`` counts ended attempts, ``partial`` and ``errors`` those of them
    that ended so, and ``visitors`` the sessions that asked something.
    Feedback counts on the day of the answer. Latencies are counted by
    class, see ``LATENCY_BOUNDS_MS``. ``grounded`` answers name sources,
    ``owner_answers`` are the owner's own words, and ``unanswered`` ones found
    nothing in the pages to say. ``handoffs`` counts how often a conversation went from the
    assistant to people, ``operator_answers`` what these said, and ``waiting_ms`` adds up
    how long visitors who asked for a person waited for the first words.
    """

    day: str
    conversations: int = 0
    visitors: int = 0
    turns: int = 0
    partial: int = 0
    errors: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    charged_tokens: int = 0
    thumbs_up: int = 0
    thumbs_down: int = 0
    limits_hit: int = 0
    grounded: int = 0
    unanswered: int = 0
    owner_answers: int = 0
    handoffs: int = 0
    operator_answers: int = 0
    waiting_ms: int = 0
    first_token_classes: tuple[int, ...] = _NO_CLASSES
    latency_classes: tuple[int, ...] = _NO_CLASSES
    models: Mapping[str, ModelFigures] = field(default_factory=dict)

    @property
    def told_reasoning_tokens(self) -> int | None:
        """How many of the completions' tokens nobody saw; ``None`` where no provider told any."""
        return self.reasoning_tokens or None


COUNTED = (
    "conversations", "visitors", "turns", "partial", "errors", "prompt_tokens",
    "completion_tokens", "reasoning_tokens", "charged_tokens", "thumbs_up", "thumbs_down",
    "limits_hit", "grounded", "unanswered", "owner_answers", "handoffs", "operator_answers",
    "waiting_ms",
)  # fmt: skip


def turn_counts(answer: Answer) -> dict[str, int]:
    """Return what an ended turn adds."""
    counts = {"turns": 1}
    if answer.status == "partial":
        counts["partial"] = 1
    elif answer.status == "error":
        counts["errors"] = 1
    _add_latency(counts, "first_token", answer.first_token_ms)
    # How long it took to fail says nothing about how long answers take.
    _add_latency(counts, "latency", answer.latency_ms if answer.status == "complete" else None)
    _add_tokens(counts, answer)
    _add_knowledge(counts, answer)
    return counts


def to_figures(period: str, counts: Counts) -> DayFigures:
    """Convert a period's counts; names that this version does not know are left out."""
    return DayFigures(
        day=period,
        **{name: counts.get(name, 0) for name in COUNTED},
        first_token_classes=_classes(counts, "first_token"),
        latency_classes=_classes(counts, "latency"),
        models=_models(counts),
    )


def sum_figures(period: str, parts: Sequence[DayFigures]) -> DayFigures:
    """Add up periods. A visitor counts once in each."""
    return DayFigures(
        day=period,
        **{name: sum(map(attrgetter(name), parts)) for name in COUNTED},
        first_token_classes=_sum_classes([part.first_token_classes for part in parts]),
        latency_classes=_sum_classes([part.latency_classes for part in parts]),
        models=_sum_models([part.models for part in parts]),
    )


def percentile(classes: Sequence[int], share: float) -> int | None:
    """Return the latency in ms that ``share`` of the turns kept within.

    Straight lines are drawn within a class; the open one counts as its
    lower bound. ``None`` where nothing was counted.
    """
    wanted = share * sum(classes)
    if not wanted:
        return None
    lower = 0
    for count, upper in zip(classes, LATENCY_BOUNDS_MS, strict=False):
        if wanted <= count:
            return round(lower + (upper - lower) * wanted / count)
        wanted -= count
        lower = upper
    return LATENCY_BOUNDS_MS[-1]


def _add_latency(counts: dict[str, int], name: str, ms: int | None) -> None:
    if ms is None:
        return
    counts[f"{name}.{bisect_left(LATENCY_BOUNDS_MS, ms)}"] = 1


def _add_tokens(counts: dict[str, int], answer: Answer) -> None:
    model, usage = _model_name(answer.model), answer.usage
    if usage is not None:
        used = {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
        }
        counts.update(used)
        counts.update({f"{name}:{model}": tokens for name, tokens in used.items()})
        if usage.reasoning_tokens:
            counts["reasoning_tokens"] = usage.reasoning_tokens
    if answer.charged_tokens:
        counts["charged_tokens"] = answer.charged_tokens
        if usage is None:
            counts[f"unrecorded_tokens:{model}"] = answer.charged_tokens


def _add_knowledge(counts: dict[str, int], answer: Answer) -> None:
    if answer.sources:
        counts["grounded"] = 1
    if answer.gap in ("nothing_found", "not_cited", "unknown"):
        counts["unanswered"] = 1
    if answer.answered_by == "owner":
        counts["owner_answers"] = 1


def _model_name(told: str | None) -> str:
    # By the model's own account: it may say anything, and stores want ASCII.
    printable = told or ""
    if not (printable.isascii() and printable.isprintable()):
        printable = "".join(char for char in printable if char.isascii() and char.isprintable())
    return printable.strip()[:_MAX_MODEL_CHARS] or "unknown"


def _classes(counts: Counts, name: str) -> tuple[int, ...]:
    return tuple([counts.get(class_name, 0) for class_name in _CLASS_NAMES[name]])


def _models(counts: Counts) -> dict[str, ModelFigures]:
    models = sorted({name.partition(":")[2] for name in counts if ":" in name})
    return {
        model: ModelFigures(
            prompt_tokens=counts.get(f"prompt_tokens:{model}", 0),
            completion_tokens=counts.get(f"completion_tokens:{model}", 0),
            unrecorded_tokens=counts.get(f"unrecorded_tokens:{model}", 0),
        )
        for model in models
    }


def _sum_classes(parts: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(map(sum, zip(_NO_CLASSES, *parts, strict=True)))


def _sum_models(parts: Sequence[Mapping[str, ModelFigures]]) -> dict[str, ModelFigures]:
    models = sorted({model for part in parts for model in part})
    return {model: _sum_model([part[model] for part in parts if model in part]) for model in models}


def _sum_model(parts: Sequence[ModelFigures]) -> ModelFigures:
    return ModelFigures(
        prompt_tokens=sum(part.prompt_tokens for part in parts),
        completion_tokens=sum(part.completion_tokens for part in parts),
        unrecorded_tokens=sum(part.unrecorded_tokens for part in parts),
    )
