"""``learn``: what the assistant knows of the owner's pages and files."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
from flask.cli import with_appcontext

from app.assistants import Assistant
from app.cli.store import works_on_the_store
from app.domain.conversation import DEFAULT_ASSISTANT
from app.web.services import services


@click.command()
@click.argument("what", nargs=-1, metavar="[URL|FILE|DIR]...")
@click.option("--assistant", default=DEFAULT_ASSISTANT, help="Whose pages they are.")
@click.option("--sitemap", multiple=True, metavar="URL", help="The pages of it, and no others.")
@click.option("--only", multiple=True, metavar="PATTERN", help="Paths to learn: '/docs/*'.")
@click.option("--not", "excluded", multiple=True, metavar="PATTERN", help="Paths to leave out.")
@click.option("--max-pages", type=click.IntRange(1, 50_000), help="[default: LEARN_MAX_PAGES]")
@click.option("--dry-run", is_flag=True, help="Tell what would be learnt, and store nothing.")
@click.option("--refresh", is_flag=True, help="Look at SITE_URL, and all that is known, again.")
@click.option("--accept", is_flag=True, help="Replace even where most of a site is gone.")
@click.option("--text", help="Learn this text; --title says what it is about.")
@click.option("--title", help="What --text is about.")
@click.option("--list", "lists", is_flag=True, help="List what is known.")
@click.option("--forget", multiple=True, metavar="URL", help="Forget this; a key of --list.")
@click.option("--build", "builds", is_flag=True, help="Write the index of what is known.")
@click.option("--ask", metavar="QUESTION", help="Show what would be found for a question.")
@click.option("--report", "reports", is_flag=True, help="Show what became of each address.")
@with_appcontext
@works_on_the_store
def learn(what: tuple[str, ...], assistant: str, **options: Any) -> None:
    """Learn a site from an address on, a file, or a folder.

    Without any of them: SITE_URL. Ends with 1 where nothing could be learnt. Ctrl-C stops
    after the page that is being read, and keeps what was learnt.
    """
    whose = services().assistants.get(assistant)
    if whose is None:
        known = ", ".join(services().assistants.ids)
        raise click.BadParameter(f"There are only: {known}.", param_hint="--assistant")
    _do(whose, what, options)


def _do(whose: Assistant, what: Sequence[str], options: Mapping[str, Any]) -> None:
    # Parsers and clients of pages are no part of the server, which loads all commands.
    from app.cli.knowledge import learning

    if options["lists"]:
        learning.list_documents(whose.id)
    elif options["builds"]:
        learning.build_index(whose)
    elif options["ask"]:
        learning.show_found(whose.id, options["ask"])
    elif options["reports"]:
        learning.show_report(whose.id)
    elif options["forget"]:
        learning.forget(whose.id, options["forget"])
    elif options["text"] is not None:
        learning.learn_text(whose.id, options["text"], options["title"])
    else:
        learning.learn(whose, learning.to_order(whose, what, options))
