"""How ``learn`` shows what it does: a bar on a terminal, lines elsewhere, tables at the end."""

import json
import time
from collections.abc import Callable
from types import TracebackType

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as Bar

from app.cli.printing import as_text, print_table
from app.domain.clock import to_utc
from app.knowledge.learner.report import Report
from app.operations.knowledge.trial import Trial
from app.storage.document_store import DocumentStore

_LINE_EVERY_S = 10.0
_LIST_LIMIT = 200
_MAX_REASONS = 30
_MAX_FLAGS = 20
_ADDRESS_CHARS = 60


class Progress:
    """Shows a run as it goes on; a context manager."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = Console(stderr=True)
        self._clock = clock
        self._said_at = clock()
        self._bar: Bar | None = None
        if self._console.is_terminal:
            self._bar = Bar(
                SpinnerColumn(),
                BarColumn(20),
                MofNCompleteColumn(),
                TextColumn("{task.fields[counts]}", markup=False),
                TextColumn("{task.fields[current]}", markup=False, style="dim"),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task("", total=None, counts="", current="")

    def __enter__(self) -> "Progress":
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def tell(self, report: Report) -> None:
        """Show where it is."""
        counts = _counts(report)
        if self._bar:
            current = str(as_text(report.current or report.phase))
            self._bar.update(
                self._task,
                completed=report.done,
                total=report.total or None,
                counts=counts,
                current=current[:_ADDRESS_CHARS],
            )
        elif self._clock() - self._said_at >= _LINE_EVERY_S:
            self._said_at = self._clock()
            self.say(f"{report.phase}: {report.done} of {report.total} addresses; {counts}")

    def say(self, words: str) -> None:
        """Say something beside the bar."""
        if self._bar:
            self._bar.console.print(words, highlight=False, markup=False)
        else:
            click.echo(words, err=True)


def print_summary(report: Report, *, is_dry: bool) -> None:
    """Print counts, the reasons of what was left out, and what the owner should know."""
    if report.reasons:
        rows = [
            (times, state, reason)
            for (state, reason), times in list(report.reasons.items())[:_MAX_REASONS]
        ]
        print_table(("Pages", "", "Why"), rows, whole=("",))
    for each in report.scopes:
        click.echo(f"Scope: {as_text(each)}")
    for each in report.notes:
        click.echo(f"Note: {as_text(each)}")
    for flag in report.flags[:_MAX_FLAGS]:
        click.echo(f"Left out of {as_text(flag.key)}: it {as_text(flag.why)}")
    words = "Would be" if is_dry else report.state.capitalize()
    click.echo(f"{words}: {_counts(report) or 'nothing'}")


def print_documents(store: DocumentStore, assistant: str) -> None:
    """Print what is known, by key."""
    rows = []
    cursor: str | None = None
    while True:
        page = store.list_documents(assistant, limit=_LIST_LIMIT, cursor=cursor)
        rows += [
            (each.key, each.title[:60], to_utc(each.learnt_at), each.problem or "")
            for each in page.documents
        ]
        cursor = page.next_cursor
        if cursor is None:
            break
    print_table(("Key", "Title", "Seen (UTC)", "Problem"), rows, whole=("Seen (UTC)",))


def print_report(report: str | None) -> None:
    """Print the last report: every address, and what became of it."""
    if report is None:
        raise click.ClickException("Nothing was learnt yet.")
    found = json.loads(report)
    entries = found.get("entries", ())
    rows = [(each["state"], each["url"], each.get("reason", "")) for each in entries]
    print_table(("", "Address", "Why"), rows, whole=("",))
    for each in found.get("notes", ()):
        click.echo(f"Note: {as_text(each)}")
    if found.get("leftOut"):
        click.echo(f"{found['leftOut']} more are counted only")
    counts = ", ".join(f"{times} {state}" for state, times in found["counts"].items())
    click.echo(f"{found['state'].capitalize()} at {to_utc(found['updatedAt'])} UTC: {counts}")


def _counts(report: Report) -> str:
    return ", ".join(f"{times} {state}" for state, times in report.counts.items())


def print_found(trial: Trial) -> None:
    """Show what the chat would find for a question, and what would come of it."""
    found = trial.found
    print_table(
        ("n", "score", "title", "address", "terms"),
        [
            (
                str(n),
                f"{each.score:.2f}",
                f"{each.title} › {each.heading}" if each.heading else each.title,
                each.url or each.key,
                ", ".join(each.terms),
            )
            for n, each in enumerate(found.passages, 1)
        ],
    )
    click.echo(
        f"{trial.words}. Coverage {found.coverage:.2f}; {trial.tokens} tokens; "
        f"{found.duration_ms:.1f} ms; version {found.version}."
    )
    if trial.reply is not None:
        click.echo(trial.reply)
