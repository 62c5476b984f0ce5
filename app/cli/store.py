"""Which store a command works on: said first, and never made by a command."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar

import click

from app.domain.errors import ServiceError
from app.operations.diagnostics import place_of, reason_of, store_is_missing
from app.settings import Settings
from app.web.services import services

P = ParamSpec("P")
T = TypeVar("T")


def tell_store(settings: Settings) -> None:
    """Say on standard error which store this is, so that nobody mistakes it for another."""
    click.echo(f"on {place_of(settings)} ({settings.app_env})", err=True)


def works_on_the_store(command: Callable[P, T]) -> Callable[P, T]:
    """Let a command say which store it works on, and work on none that is not there.

    A failure of the store is a sentence, not a traceback.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        settings = services().settings
        tell_store(settings)
        if store_is_missing(settings):
            raise click.ClickException(
                f"There is no {place_of(settings)}, and a command makes none: the server does, "
                "when it starts. Where a service runs already, these are not its settings: name "
                "them with `python -m app --env-file FILE …` or PERCH_ENV_FILE; "
                "`deploy/perch …` does it for the systemd unit, "
                "`docker compose exec perch python -m app …` for Docker."
            )
        try:
            return command(*args, **kwargs)
        except ServiceError as error:
            raise click.ClickException(reason_of(error)) from error

    return run


def open_for_its_owner(path: Path) -> BinaryIO:
    """Open a file for what visitors said: a new one is readable by its owner only.

    Raises:
        ClickException: the user of this command may not write it.
    """
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
    except OSError as error:
        raise click.ClickException(
            f"{path.absolute()} cannot be written by the user of this command: {error.strerror}. "
            "Leave -o out, and let the shell write: … export > FILE"
        ) from error
