"""``unanswered``: what visitors asked and the pages did not answer."""

import sys

import click
from flask.cli import with_appcontext

from app.cli.filters import separator_option
from app.cli.knowledge.answers import whose
from app.cli.printing import print_json, print_table
from app.cli.store import works_on_the_store
from app.domain.clock import to_utc
from app.operations.export import SEPARATORS
from app.operations.knowledge.gaps import GapGroup, gaps_to_csv, in_order
from app.web.owned_knowledge import knowledge_of
from app.web.schemas.knowledge import GapSchema

_PREVIEW_CHARS = 80


@click.command()
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most.")
@click.option("--csv", "as_csv", is_flag=True, help="All of them, as a table for spreadsheets.")
@separator_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--dismiss", metavar="ID", help="Take this question off the list instead.")
@whose
@with_appcontext
@works_on_the_store
def unanswered(
    limit: int, as_csv: bool, sep: str, as_json: bool, dismiss: str | None, assistant: str
) -> None:
    """List what the pages did not answer, the questions asked most first."""
    gaps = knowledge_of(assistant).gaps
    if dismiss:
        click.echo(f"Dismissed: {gaps.dismiss(dismiss)}")
        return
    groups = gaps.groups()
    if as_csv:
        for piece in gaps_to_csv(groups, SEPARATORS[sep]):
            sys.stdout.buffer.write(piece)
        return
    if as_json:
        for each in groups[:limit]:
            print_json(GapSchema().dump(each))
        return
    rows = [_row(each) for each in groups[:limit]]
    print_table(("Id", "Asked", "Last (UTC)", "Why", "Question"), rows, whole=("Id", "Last (UTC)"))


def _row(group: GapGroup) -> tuple[object, ...]:
    reasons = ", ".join(each.replace("_", " ") for each in in_order(group.reasons))
    question = " ".join(group.question.split())[:_PREVIEW_CHARS]
    return group.id, group.count, to_utc(group.last_at), reasons, question
