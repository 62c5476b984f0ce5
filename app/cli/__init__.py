"""Commands for scripts, cron and a look by hand: ``python -m app --help``.

They use the store and the settings that the server would use here, beside it
or without it; each says which store that is, and none makes one.
"""

from importlib import import_module
from typing import cast

import click
from flask import Flask
from flask.cli import AppGroup

# Where each command is. It is imported when it is asked for: no server needs what prints tables.
_MODULES = {
    "answers": "knowledge.answers",
    "backfill": "backfill",
    "close": "people",
    "conversations": "conversations",
    "doctor": "doctor",
    "inbox": "people",
    "learn": "knowledge.learn",
    "purge": "purge",
    "release": "people",
    "reply": "people",
    "sign-in": "sign_in",
    "stats": "stats",
    "switch": "switch",
    "take": "people",
    "unanswered": "knowledge.unanswered",
    "vectors": "knowledge.vectors",
    "verify": "verifying.verify",
}


class _Commands(AppGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_MODULES})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return find_command(name) or super().get_command(ctx, name)


def register(app: Flask) -> None:
    """Give an application its commands."""
    app.cli = _Commands(app.name)


def find_command(name: str) -> click.Command | None:
    """Import the command of this name, ``None`` where it is not ours."""
    if name not in _MODULES:
        return None
    module = import_module(f"{__name__}.{_MODULES[name]}")
    return cast(click.Command, getattr(module, name.replace("-", "_")))
