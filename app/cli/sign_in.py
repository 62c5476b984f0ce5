"""``sign-in``: a way into the dashboard while strangers try its password."""

import re
from urllib.parse import urlsplit

import click
from flask.cli import with_appcontext

from app.domain.errors import NotConfigured
from app.settings.syntax import is_url
from app.web.guards import secret_keys
from app.web.guards.dashboard import operators
from app.web.services import services


@click.command("sign-in")
@click.argument("url")
@with_appcontext
def sign_in(url: str) -> None:
    """Print a link to the dashboard at URL that signs one browser in, once.

    It holds for ten minutes, asks for no password and is held up by no
    limit. Needs the service's own DASHBOARD_PASSWORD and SECRET_KEY.
    """
    if not is_url(url):
        raise click.BadParameter("write where the service is: https://chat.example.com")
    try:
        link = operators().to_link()
    except NotConfigured as error:
        raise click.ClickException(str(error)) from error
    if not secret_keys.are_kept(services().settings):
        raise click.ClickException(
            f"There is no SECRET_KEY, and no {secret_keys.FILE_NAME} beside the database: the "
            "service would not know the link. Run this where it runs, with its own settings"
        )
    parts = urlsplit(url)
    # Of an address that was copied out of the browser, the page is no part.
    place = re.sub(r"/dashboard(/.*)?$|/+$", "", parts.path)
    click.echo(f"{parts.scheme}://{parts.netloc}{place}/dashboard/login?link={link}")
