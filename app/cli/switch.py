"""``switch``: the assistant off, and on again."""

import click
from flask.cli import with_appcontext

from app.cli.store import works_on_the_store
from app.web.services import services


@click.command()
@click.argument("to", type=click.Choice(["on", "off"]), required=False)
@with_appcontext
@works_on_the_store
def switch(to: str | None) -> None:
    """Switch the assistant on or off, or tell which it is.

    All workers of all machines see it within seconds; answers that are
    being written go on to their end.
    """
    switches = services().switches
    if to is not None:
        switches.switch(off=to == "off")
    click.echo(f"The assistant is {'off' if switches.is_off else 'on'}.")
