"""The commands: ``python -m app --help``."""

import gc
import os
from pathlib import Path

import click
from flask import Flask
from flask.cli import FlaskGroup

from app.cli import find_command
from app.settings import ENV_FILE_VARIABLE, SettingsFaults, load_all


class _Commands(FlaskGroup):
    """Our own commands only, without those that installed packages offer to every Flask."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        # One looks at another service, whatever is set here; the other opens no store.
        if name in ("verify", "vectors"):
            return find_command(name)
        return super().get_command(ctx, name)

    def _load_plugin_commands(self) -> None:
        pass


def _create_app() -> Flask:
    gc.disable()  # what is imported stays: looking through it is a sixth of a start
    from app.factory import create_app

    try:
        return create_app(load_all())
    except SettingsFaults as error:
        raise SystemExit(error.in_words()) from error
    finally:
        gc.freeze()
        gc.enable()


# Our settings read `.env` and `.env.local` themselves, in their own order.
@click.group(
    cls=_Commands,
    create_app=_create_app,
    add_default_commands=False,
    add_version_option=False,
    load_dotenv=False,
    set_debug_flag=False,
)
def main() -> None:
    """Commands for scripts, cron and a look by hand."""


def _name_env_file(_context: click.Context, _option: click.Parameter, path: Path | None) -> None:
    if path is not None:
        os.environ[ENV_FILE_VARIABLE] = str(path)


# Which application it is goes without saying; which settings, does not.
main.params[:] = [
    click.Option(
        ["--env-file"],
        type=click.Path(path_type=Path),
        metavar="FILE",
        is_eager=True,  # before the commands are listed, which loads the settings
        expose_value=False,
        callback=_name_env_file,
        help="Read the settings from FILE, and not from .env and .env.local. Variables of the "
        f"environment win over it. {ENV_FILE_VARIABLE} names one as well.",
    )
]

if __name__ == "__main__":
    main(prog_name="python -m app")
