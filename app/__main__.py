"""The commands: ``python -m app --help``."""

import click
from flask import Flask
from flask.cli import FlaskGroup

from app.cli.verify import verify
from app.factory import create_app
from app.settings import Settings, SettingsFaults


def _create_app() -> Flask:
    try:
        return create_app(Settings.from_env())
    except SettingsFaults as error:
        raise SystemExit(error.in_words()) from error


# Our settings read `.env` and `.env.local` themselves, in their own order.
@click.group(
    cls=FlaskGroup,
    create_app=_create_app,
    add_default_commands=False,
    add_version_option=False,
    load_dotenv=False,
    set_debug_flag=False,
)
def main() -> None:
    """Commands for scripts, cron and a look by hand."""


# It looks at another service, whatever is set here.
main.add_command(verify)
# Which application it is goes without saying.
main.params.clear()

if __name__ == "__main__":
    main(prog_name="python -m app")
