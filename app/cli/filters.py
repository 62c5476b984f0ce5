"""The options that narrow a list, and shape a table: the same as those of the admin API."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import click
from marshmallow import ValidationError

from app.domain.conversation import ConversationFilter
from app.operations.export import SEPARATORS
from app.web.schemas.conversations import FilterSchema

C = TypeVar("C", bound=Callable[..., Any])

_OPTIONS = (
    ("q", 'Words and "phrases" that were said, or an id.'),
    ("from", "Updated since: 2026-11-22, or ms since 1970."),
    ("to", "Updated until; a day is included."),
    ("feedback", "up or down: an answer was rated so."),
    ("status", "complete, partial or error: an answer ended so."),
    ("page", "The page's URL begins so."),
    ("user", "The user's id."),
    ("assistant", "The assistant's id."),
    ("state", "bot, waiting or human: who answers."),
)


separator_option = click.option(
    "--sep",
    type=click.Choice(list(SEPARATORS)),
    default="comma",
    show_default=True,
    help="What stands between the cells of a table.",
)


def filter_options(command: C) -> C:
    """Give a command the options of a filter; ``read_filter`` takes them."""
    for name, words in reversed(_OPTIONS):
        command = click.option(f"--{name}", f"where_{name}", help=words)(command)
    return command


def read_filter(options: dict[str, Any]) -> ConversationFilter:
    """Take a filter out of a command's options.

    Raises:
        click.BadParameter: naming the option.
    """
    given = {
        name: value
        for name, _ in _OPTIONS
        if (value := options.pop(f"where_{name}", None)) is not None
    }
    try:
        return cast(ConversationFilter, FilterSchema().load(given))
    except ValidationError as error:
        name, sentences = next(iter(cast(dict[str, list[str]], error.messages).items()))
        raise click.BadParameter(" ".join(sentences), param_hint=f"--{name}") from error
