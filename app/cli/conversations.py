"""``conversations``: list, show, export and delete them."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any, cast

import click
from flask.cli import AppGroup

from app.cli.filters import filter_options, read_filter, separator_option
from app.cli.printing import as_text, console, print_json, print_table, progress
from app.cli.store import open_for_its_owner, works_on_the_store
from app.domain.clock import now_ms, to_utc
from app.domain.conversation import Conversation, Message
from app.operations.export import SEPARATORS, Format, to_export
from app.operations.transcripts import Excerpt, Transcripts
from app.storage.protocol import EVERYTHING
from app.web.schemas.conversations import ConversationSchema, ThreadSchema
from app.web.services import services

conversations = AppGroup("conversations", help="List, show, export and delete conversations.")

_PREVIEW_CHARS = 60


@conversations.command("list")
@filter_options
@click.option(
    "--limit", type=click.IntRange(0), default=20, show_default=True, help="At most so many."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@works_on_the_store
def list_conversations(limit: int, as_json: bool, **options: Any) -> None:
    """List conversations, the latest first."""
    found = list(islice(Transcripts(services().store).find(read_filter(options)), limit))
    if as_json:
        for each in found:
            print_json(ConversationSchema().dump(each))
        return
    print_table(
        ("Id", "Updated (UTC)", "Who", "Last question"),
        [_row(each) for each in found],
        whole=("Id", "Updated (UTC)"),
    )


@conversations.command("show")
@click.argument("conversation_id")
@click.option("--json", "as_json", is_flag=True, help="As the admin API returns it.")
@works_on_the_store
def show(conversation_id: str, as_json: bool) -> None:
    """Show a conversation with its messages."""
    thread = services().store.read_thread(conversation_id)
    if as_json:
        print_json(ThreadSchema().dump(thread))
        return
    out = console()
    where = thread.conversation.page.url if thread.conversation.page else ""
    out.print(as_text(f"{_who(thread.conversation)}  {where}"), style="bold")
    for message in thread.messages:
        out.print()
        out.print(as_text(_heading(message)), style="dim")
        out.print(as_text(message.content))


@conversations.command("export")
@filter_options
@click.option(
    "--format", "kind", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True
)
@click.option(
    "--bom/--no-bom",
    default=None,
    help="Mark it as UTF-8, for spreadsheets.  [default: a table is, JSON is not]",
)
@separator_option
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Into this file."
)
@works_on_the_store
def export(kind: str, bom: bool | None, sep: str, output: Path | None, **options: Any) -> None:
    """Write every message, one a line."""
    where = read_filter(options)
    store = services().store
    total = store.list_conversations(limit=1).total if where == EVERYTHING else None
    excerpts = Transcripts(store).export(where, now_ms=now_ms())
    target = open_for_its_owner(output) if output else nullcontext(sys.stdout.buffer)
    with target as file, progress("conversations") as bar:
        task = bar.add_task("", total=total)

        def counted() -> Iterator[Excerpt]:
            last = ""
            for excerpt in excerpts:
                bar.advance(task, excerpt.conversation.id != last)
                last = excerpt.conversation.id
                yield excerpt

        for piece in to_export(counted(), cast(Format, kind), bom=bom, separator=SEPARATORS[sep]):
            file.write(piece)


@conversations.command("delete")
@click.argument("conversation_ids", nargs=-1)
@click.option("--session", help="Everything of this session.")
@click.option("--user", "where_user", help="Everything of this user.")
@click.option(
    "--assistant",
    "where_assistant",
    help="Everything of this assistant; with --user, of this user with it.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@works_on_the_store
def delete(
    conversation_ids: tuple[str, ...], session: str | None, yes: bool, **options: Any
) -> None:
    """Delete conversations with all their messages."""
    where = read_filter(options)
    if not (conversation_ids or session or where != EVERYTHING):
        raise click.UsageError("Name conversations, a --session, a --user or an --assistant.")
    if where.assistant and (conversation_ids or session):
        raise click.UsageError("A conversation, or a session, has one: leave --assistant out.")
    if not yes:
        click.confirm("Delete for good?", abort=True)
    transcripts = Transcripts(services().store, services().end_session)
    deleted = 0
    for conversation_id in conversation_ids:
        transcripts.delete(conversation_id)
        deleted += 1
    if session:
        deleted += transcripts.delete_session(session)
    if where != EVERYTHING:
        deleted += _count(transcripts.delete_all(where))
    click.echo(f"Deleted: {deleted}")


def _count(deleted: Iterable[Conversation]) -> int:
    with progress("deleted") as bar:
        task = bar.add_task("", total=None)
        count = 0
        for _ in deleted:
            bar.advance(task)
            count += 1
    return count


def _row(conversation: Conversation) -> tuple[str, ...]:
    words = " ".join((conversation.last_question or conversation.last_message or "").split())
    return (
        conversation.id,
        to_utc(conversation.updated_at),
        _who(conversation),
        words[:_PREVIEW_CHARS],
    )


def _who(conversation: Conversation) -> str:
    return conversation.user or conversation.session_id


def _heading(message: Message) -> str:
    parts = [message.role, to_utc(message.created_at)]
    if message.status and message.status != "complete":
        parts.append(message.status)
    if message.feedback:
        parts.append(f"thumbs {message.feedback.rating}")
    return " · ".join(parts)
