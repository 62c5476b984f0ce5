"""``purge``: delete what is older than the owner wants to keep."""

import re
import time

import click
from flask.cli import with_appcontext

from app.cli.printing import progress
from app.cli.store import works_on_the_store
from app.domain.clock import now_ms, to_utc
from app.domain.conversation import ConversationFilter
from app.operations.transcripts import Transcripts
from app.web.services import services

_AGE = re.compile(r"([1-9][0-9]{0,4})(d|w|y)")
_UNIT_DAYS = {"d": 1, "w": 7, "y": 365}
_DAY_MS = 24 * 60 * 60 * 1000


class Age(click.ParamType[int]):
    """A length of time: ``90d``, ``12w`` or ``1y``; in days."""

    name = "age"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read it."""
        found = _AGE.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is no age: write 90d, 12w or 1y.", param, ctx)
        return int(found[1]) * _UNIT_DAYS[found[2]]


@click.command()
@click.option("--older-than", "days", type=Age(), required=True, help="Unused so long: 90d.")
@click.option("--dry-run", is_flag=True, help="Count them, and delete nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
@works_on_the_store
def purge(days: int, dry_run: bool, yes: bool) -> None:
    """Delete conversations in which nothing was said for so long."""
    until = max(0, now_ms() - days * _DAY_MS)
    store = services().store
    if dry_run:
        found = Transcripts(store).find(ConversationFilter(until=until))
        click.echo(f"To delete: {sum(1 for _ in found)}")
        return
    if not yes:
        click.confirm(f"Delete everything unused since {to_utc(until)} UTC?", abort=True)
    with progress("deleted") as bar:
        task = bar.add_task("", total=None)
        deleted, has_more = 0, True
        while has_more:
            begun_at = time.monotonic()
            # The store looks again at how old each is: one may go on at any moment.
            purged = store.purge(unused_days=days)
            deleted += purged.conversations
            bar.advance(task, purged.conversations)
            has_more = purged.has_more
            if has_more:  # the turns that wait to write go first
                time.sleep(time.monotonic() - begun_at)
    click.echo(f"Deleted: {deleted}")
