"""``stats``: what the last days brought and cost."""

from datetime import timedelta
from typing import Any

import click
from flask.cli import with_appcontext

from app.cli.filters import read_filter
from app.cli.printing import print_json, print_table
from app.cli.store import works_on_the_store
from app.dashboard.rendering.formats import to_money, to_seconds
from app.operations.statistics import PeriodStatistics, read_statistics, utc_now
from app.web.schemas.statistics import MAX_DAYS, StatisticsSchema
from app.web.services import services

_COLUMNS = (
    "Day", "Conv.", "Visitors", "Turns", "Cut", "Failed", "Tokens", "Cost", "First", "95 %",
    "Up", "Down", "Limits",
)  # fmt: skip


@click.command()
@click.option(
    "--days",
    type=click.IntRange(1, MAX_DAYS),
    default=14,
    show_default=True,
    help="To today.",
)
@click.option("--assistant", "where_assistant", help="Of this assistant alone.")
@click.option("--json", "as_json", is_flag=True, help="As the admin API returns it.")
@with_appcontext
@works_on_the_store
def stats(days: int, as_json: bool, **options: Any) -> None:
    """Show what the last days brought and cost (UTC)."""
    now = utc_now()
    found = read_statistics(
        services().store,
        services().settings.model_prices,
        first=now - timedelta(days=days - 1),
        last=now,
        unit="day",
        assistant=read_filter(options).assistant,
    )
    if as_json:
        print_json(StatisticsSchema().dump(found))
        return
    rows = [_row(period.figures.day, period) for period in found.periods]
    print_table(_COLUMNS, [*rows, _row("all", found.total)], whole=("Day", "Cost", "First", "95 %"))


def _row(name: str, period: PeriodStatistics) -> tuple[object, ...]:
    figures = period.figures
    return (
        name,
        figures.conversations,
        figures.visitors,
        figures.turns,
        figures.partial,
        figures.errors,
        figures.prompt_tokens + figures.completion_tokens,
        to_money(period.cost, services().settings.model_prices.currency),
        to_seconds(period.first_token.p50),
        to_seconds(period.first_token.p95),
        figures.thumbs_up,
        figures.thumbs_down,
        figures.limits_hit,
    )
