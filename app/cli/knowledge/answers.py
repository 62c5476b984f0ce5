"""``answers``: the owner's own answers, word for word."""

from collections.abc import Iterator
from typing import TextIO

import click
from flask.cli import AppGroup

from app.cli.printing import print_json, print_table
from app.cli.store import works_on_the_store
from app.domain.clock import now_ms, to_utc
from app.domain.conversation import DEFAULT_ASSISTANT
from app.operations.knowledge.corrections import Correction, Corrections
from app.web.owned_knowledge import knowledge_of
from app.web.schemas.knowledge import CorrectionSchema

answers = AppGroup("answers", help="List, add and remove the owner's own answers.")

_PAGE_ANSWERS = 100
_PREVIEW_CHARS = 70
whose = click.option(
    "--assistant",
    default=DEFAULT_ASSISTANT,
    show_default=True,
    help="Whose they are.",
)


@answers.command("list")
@whose
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, whole.")
@works_on_the_store
def list_answers(assistant: str, as_json: bool) -> None:
    """List them, by id."""
    found = list(_all(knowledge_of(assistant).corrections))
    if as_json:
        for each in found:
            print_json(CorrectionSchema().dump(each))
        return
    print_table(
        ("Id", "Changed (UTC)", "Question", "Answer"),
        [
            (each.id, to_utc(each.changed_at), _preview(each.question), _preview(each.answer))
            for each in found
        ],
        whole=("Id", "Changed (UTC)"),
    )


@answers.command("add")
@click.argument("question")
@click.argument("answer", required=False)
@click.option(
    "--file",
    type=click.File(encoding="utf-8"),
    help="Read the answer from this file; - is standard input.",
)
@whose
@works_on_the_store
def add(question: str, answer: str | None, file: TextIO | None, assistant: str) -> None:
    """Answer a QUESTION, in place of the answer that it had; it is unanswered no longer."""
    if (answer is None) == (file is None):
        raise click.UsageError("Give the answer, or a --file that has it.")
    text = answer if file is None else file.read()
    made = knowledge_of(assistant).corrections.put(question, text or "", now_ms=now_ms())
    click.echo(made.id)


@answers.command("remove")
@click.argument("ids", nargs=-1, required=True)
@whose
@works_on_the_store
def remove(ids: tuple[str, ...], assistant: str) -> None:
    """Remove answers by their IDS."""
    corrections = knowledge_of(assistant).corrections
    for each in ids:
        corrections.delete(each)
    click.echo(f"Removed: {len(ids)}")


def _all(corrections: Corrections) -> Iterator[Correction]:
    cursor: str | None = None
    while True:
        page = corrections.list(limit=_PAGE_ANSWERS, cursor=cursor)
        yield from page.corrections
        cursor = page.next_cursor
        if cursor is None:
            return


def _preview(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _PREVIEW_CHARS else f"{words[: _PREVIEW_CHARS - 1]}…"
