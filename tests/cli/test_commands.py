"""Commands are imported by who asks for them."""

import sys
from pathlib import Path

import click
from flask import Flask

from app import cli
from tests.cli.test_store import run

START = """
import sys
from app.factory import create_app
from app.settings import Environment, load

create_app(load(Environment({"SQLITE_PATH": "chat.db", "VECTORS": "0"})))
print(*sys.modules)
"""


def test_every_command_goes_by_its_name() -> None:
    app = Flask("some")
    cli.register(app)
    context = click.Context(app.cli)
    names = app.cli.list_commands(context)

    assert len(names) > 10
    found = {name: app.cli.get_command(context, name) for name in names}
    assert {name: command.name for name, command in found.items() if command} == dict(
        zip(names, names, strict=True)
    )
    assert app.cli.get_command(context, "rm") is None


def test_a_server_imports_no_command_and_no_client_that_it_does_not_use(tmp_path: Path) -> None:
    imported = run(tmp_path, START, program=(sys.executable, "-c")).stdout.split()

    assert "app.cli" in imported
    assert {"app.cli.stats", "redis", "pypdf", "numpy"}.isdisjoint(imported)
