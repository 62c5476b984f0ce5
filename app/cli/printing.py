"""How commands print: tables for people on standard output, progress beside it."""

import json
import re
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

_PIPE_WIDTH = 140
# What visitors wrote may hold a terminal's own commands, or turn its line around.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def console() -> Console:
    """Return where results go; made when needed, for tests put another output there."""
    found = Console(highlight=False)
    # A file or a pipe has no width of its own.
    return found if found.is_terminal else Console(highlight=False, width=_PIPE_WIDTH)


def progress(unit: str) -> Progress:
    """Return a progress bar on standard error, so that it never mixes with a result."""
    return Progress(
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        console=Console(stderr=True),
        transient=True,
    )


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, whole: Sequence[str] = ()
) -> None:
    """Print rows; numbers stand on the right, and columns that are ``whole`` are never broken."""
    table = Table(header_style="bold", box=None)
    for number, name in enumerate(columns):
        is_number = bool(rows) and all(isinstance(row[number], int | float) for row in rows)
        table.add_column(
            name,
            justify="right" if is_number else "left",
            overflow="fold",
            no_wrap=is_number or name in whole,
            # However long the others are: rich would make it narrower, down to nothing.
            min_width=max((_width(row[number]) for row in rows), default=0)
            if is_number or name in whole
            else None,
        )
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else as_text(cell) for cell in row))
    console().print(table)


def _width(cell: object) -> int:
    return (cell if isinstance(cell, Text) else as_text(cell)).cell_len


def print_json(value: Any) -> None:
    """Print one value in a line, for other programs."""
    click.echo(json.dumps(value, ensure_ascii=False))


def as_text(value: object) -> Text:
    """Return a value as text and nothing else: no markup, no control characters."""
    return Text(_CONTROLS.sub("\N{REPLACEMENT CHARACTER}", "" if value is None else str(value)))
