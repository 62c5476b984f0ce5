"""``vectors``: the sidecar in the foreground, or what the one that runs is at."""

import click
from rich.text import Text

from app.cli.printing import print_table
from app.knowledge.vectors.client import SidecarClient
from app.knowledge.vectors.configuration import SidecarConfiguration
from app.knowledge.vectors.sidecar import run_sidecar
from app.observability import logs
from app.settings import SettingsFaults, load_all


@click.command()
@click.option("--status", is_flag=True, help="Ask the one that runs, and start none.")
def vectors(status: bool) -> None:
    """Embed questions and pages for the server here, which starts this by itself.

    Ends with 0 at once where one runs already, and after 20 seconds in which no
    server was connected.
    """
    try:
        settings = load_all()
    except SettingsFaults as error:
        raise SystemExit(error.in_words()) from error
    if not settings.uses_vectors:
        raise click.ClickException("VECTORS is off")
    configuration = SidecarConfiguration.from_settings(settings)
    if not configuration.is_possible:
        raise click.ClickException("it is not installed: pip install -r requirements-vectors.txt")
    if status:
        _tell_status(configuration)
        return
    logs.configure()
    raise SystemExit(run_sidecar(configuration))


def _tell_status(configuration: SidecarConfiguration) -> None:
    told = SidecarClient(configuration, lambda: None).status()
    if told is None:
        raise click.ClickException("no sidecar answers")
    click.echo(
        f"{told.model}: {told.rss_bytes / 2**20:.0f} MiB, {told.answered} questions answered, "
        f"{told.late} late, {told.refused} refused"
    )
    print_table(
        ("Index", "Passages", "Embedded", "Problem"),
        [
            (each.name, each.passages, each.embedded, Text(each.problem or ""))
            for each in told.indexes
        ],
        whole=("Index",),
    )
