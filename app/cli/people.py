"""``inbox``, ``take``, ``reply``, ``release`` and ``close``: answering visitors from a shell."""

import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click
from flask.cli import with_appcontext

from app.cli.printing import print_json, print_table
from app.cli.store import works_on_the_store
from app.domain.clock import to_utc
from app.domain.conversation import Conversation
from app.domain.people import HandedOver
from app.web.schemas.chat import MessageSchema
from app.web.schemas.conversations import ConversationSchema
from app.web.services import services

P = ParamSpec("P")
T = TypeVar("T")

_MAX_INBOX = 200
_PREVIEW_CHARS = 60


def _names_who_acts(command: Callable[P, T]) -> Callable[P, T]:
    option = click.option(
        "--name", help="Who acts, as visitors are shown.  [default: OPERATOR_NAME]"
    )
    return option(command)


@click.command()
@click.option("--assistant", help="Of this assistant only.")
@click.option(
    "--limit",
    type=click.IntRange(1, _MAX_INBOX),
    default=50,
    show_default=True,
    help="At most so many.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@with_appcontext
@works_on_the_store
def inbox(assistant: str | None, limit: int, as_json: bool) -> None:
    """List who waits for a person, the longest first, then who has one."""
    found = services().store.people.list_inbox(assistant=assistant, limit=limit)
    if as_json:
        for each in found:
            print_json(ConversationSchema().dump(each))
        return
    print_table(
        ("Id", "State", "Since (UTC)", "New", "Who", "Last words"),
        [_row(each) for each in found],
        whole=("Id", "State", "Since (UTC)"),
    )


@click.command()
@click.argument("conversation_id")
@_names_who_acts
@with_appcontext
@works_on_the_store
def take(conversation_id: str, name: str | None) -> None:
    """Take a conversation over: the assistant is silent from now on."""
    _tell(services().people.take, conversation_id, name, "A person has it now.")


@click.command()
@click.argument("conversation_id")
@click.argument("text")
@_names_who_acts
@click.option("--key", help="Names the words: said again, they are the same message.")
@click.option("--json", "as_json", is_flag=True, help="The message as the admin API returns it.")
@with_appcontext
@works_on_the_store
def reply(
    conversation_id: str, text: str, name: str | None, key: str | None, as_json: bool
) -> None:
    """Answer a visitor with TEXT, or with standard input where that is `-`.

    The first words take the conversation over.
    """
    said = sys.stdin.read() if text == "-" else text
    message = services().people.say(conversation_id, said, name=name, key=key)
    if as_json:
        print_json(MessageSchema().dump(message))
    else:
        click.echo(f"Said, as {message.author}.")


@click.command()
@click.argument("conversation_id")
@_names_who_acts
@with_appcontext
@works_on_the_store
def release(conversation_id: str, name: str | None) -> None:
    """Give a conversation back to the assistant."""
    _tell(services().people.release, conversation_id, name, "The assistant has it now.")


@click.command()
@click.argument("conversation_id")
@_names_who_acts
@with_appcontext
@works_on_the_store
def close(conversation_id: str, name: str | None) -> None:
    """End a conversation with a person: the assistant answers what comes next."""
    _tell(services().people.close, conversation_id, name, "It is closed.")


def _tell(
    step: Callable[[str, str | None], HandedOver],
    conversation_id: str,
    name: str | None,
    words: str,
) -> None:
    click.echo(words if step(conversation_id, name).is_new else f"It was so already. {words}")


def _row(conversation: Conversation) -> tuple[object, ...]:
    since = conversation.waiting_since or conversation.updated_at
    words = " ".join((conversation.last_message or "").split())
    contact = conversation.contact
    who = conversation.user or (contact.email if contact else conversation.session_id)
    return (
        conversation.id, conversation.state, to_utc(since), conversation.unread, who,
        words[:_PREVIEW_CHARS],
    )  # fmt: skip
