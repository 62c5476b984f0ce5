"""What the assistant did lately."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import cast

from flask import Response, redirect, request, url_for

from app.assistants import Assistant
from app.dashboard.graphs import make_charts
from app.dashboard.operator_zone import to_local
from app.dashboard.pages import blueprint, render
from app.dashboard.tiles import make_tiles
from app.domain.conversation import Mark, MarkedTurn
from app.domain.shutdowns import advise_shutdown
from app.operations.statistics import Unit, compare_statistics, utc_now
from app.web.owned_knowledge import knowledge_of
from app.web.services import services

_WORTH_A_LOOK = 5


@dataclass(frozen=True, slots=True)
class Span:
    """A choice of how far back to look."""

    name: str
    words: str
    count: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Spend:
    """What the day has taken of its budget."""

    spent: int
    budget: int

    @property
    def percent(self) -> int:
        """How much of it is gone, 100 at most."""
        return min(100, round(100 * self.spent / self.budget)) if self.budget else 0


SPANS = (
    Span("24h", "24 hours", 24, "hour"),
    Span("7d", "7 days", 7, "day"),
    Span("30d", "30 days", 30, "day"),
)
_DEFAULT = SPANS[1]


@blueprint.get("/")
def overview() -> Response:
    """Show figures and charts of the last hours or days."""
    currency = services().settings.model_prices.currency
    span = next((each for each in SPANS if each.name == request.args.get("span")), _DEFAULT)
    chosen = services().assistants.get(request.args.get("assistant", ""))
    shown = [chosen] if chosen else list(services().assistants)
    assistant = chosen.id if chosen else None
    found = compare_statistics(
        services().store,
        services().settings.model_prices,
        count=span.count,
        unit=span.unit,
        now=utc_now(),
        assistant=assistant,
    )
    return render(
        "overview.html",
        here="overview",
        span=span,
        spans=SPANS,
        tiles=make_tiles(found, currency),
        charts=make_charts(found.now, span.unit, currency),
        chosen=assistant,
        spend=_spend(utc_now(), shown),
        day_ends=f"{to_local(_next_day(utc_now())):%H:%M}",
        unpriced=found.now.total.unpriced,
        cited=_cited_most(shown),
        disliked=_marked("down", assistant),
        failed=_marked("error", assistant),
        is_new=_is_new(),
        notices=_notices(utc_now(), shown),
        advice=advise_shutdown(),
    )


@blueprint.get("")
def no_slash() -> Response:
    """Lead to the overview, whose address ends in a slash."""
    response = cast(Response, redirect(url_for("dashboard.overview")))
    response.headers["Cache-Control"] = "no-store"
    return response


def _is_new() -> bool:
    return not services().store.list_conversations(limit=1).conversations


def _marked(mark: Mark, assistant: str | None) -> Sequence[MarkedTurn]:
    return services().store.list_marked_turns(mark, limit=_WORTH_A_LOOK, assistant=assistant)


def _cited_most(assistants: Sequence[Assistant]) -> Sequence[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for each in assistants:
        counts.update(knowledge_of(each.id).count_citations())
    return counts.most_common(_WORTH_A_LOOK)


def _notices(now: datetime, assistants: Sequence[Assistant]) -> list[str]:
    found = {each.settings.model.notice(now.date()) for each in assistants}
    return sorted(filter(None, found))


def _next_day(now: datetime) -> datetime:
    return datetime.combine(now.date() + timedelta(days=1), time(0), UTC)


def _spend(now: datetime, assistants: Sequence[Assistant]) -> Spend:
    today = f"{now:%Y-%m-%d}"
    only = assistants[0].id if len(assistants) == 1 else None
    figures = services().store.read_figures(today, today, only)
    stored = sum(day.charged_tokens for day in figures)
    meters = [each.meter for each in assistants]
    budgets = [meter.budget for meter in meters]
    # The meters know what runs just now; the store, what other workers did.
    spent = max(stored, sum(meter.spent_today for meter in meters))
    return Spend(spent, sum(budgets) if all(budgets) else 0)
