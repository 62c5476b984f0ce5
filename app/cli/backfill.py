"""``backfill``: count the conversations that are older than the figures."""

import click
from flask.cli import with_appcontext

from app.cli.printing import progress
from app.cli.store import works_on_the_store
from app.web.services import services


@click.command()
@with_appcontext
@works_on_the_store
def backfill() -> None:
    """Count the original's conversations among the figures of their days.

    To be run once after an upgrade. It may be stopped and run again: what
    was counted is not counted twice. The server may run meanwhile.
    """
    counted = 0
    with progress("conversations") as bar:
        task = bar.add_task("", total=None)
        while batch := services().store.backfill_figures():
            counted += batch
            bar.advance(task, batch)
    click.echo(f"Counted: {counted}")
