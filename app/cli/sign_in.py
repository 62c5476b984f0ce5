"""``sign-in``: a way into the dashboard while strangers try its password."""

import click
from flask.cli import with_appcontext

from app.errors import NotConfigured
from app.settings.syntax import is_url
from app.web.dashboard_access import operators


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
    click.echo(f"{url.rstrip('/')}/dashboard/login?link={link}")
