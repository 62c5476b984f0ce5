"""What ``learn`` does; loaded by that command, and by nothing else."""

import hashlib
import signal
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import click

from app import __version__
from app.assistants import Assistant
from app.cli.knowledge.learning_progress import (
    Progress,
    print_documents,
    print_found,
    print_report,
    print_summary,
)
from app.domain.clock import now_ms
from app.domain.knowledge import Inquiry
from app.knowledge.building import IndexNotBuilt, build
from app.knowledge.learner import limits
from app.knowledge.learner.crawling.fetch import Fetcher
from app.knowledge.learner.crawling.urls import NoPage, normalise
from app.knowledge.learner.pages.kinds import kind_of
from app.knowledge.learner.pages.text import alike, plain, plain_lines
from app.knowledge.learner.reading import Reading
from app.knowledge.learner.report import Report, Source
from app.knowledge.learner.run import FILE_PREFIX, AlreadyLearning, Learner, Order
from app.limits.estimate import estimate_text
from app.settings import Settings
from app.web.owned_knowledge import knowledge_of
from app.web.services import services


def list_documents(assistant: str) -> None:
    """Print what is known."""
    print_documents(services().store.documents, assistant)


def show_report(assistant: str) -> None:
    """Print what became of each address."""
    print_report(services().store.documents.read_report(assistant))


def to_order(whose: Assistant, what: Sequence[str], options: Mapping[str, Any]) -> Order:
    """Return what the words of the command ask for.

    Raises:
        click.UsageError: it is nothing that can be learnt.
    """
    site_url = whose.settings.knowledge.site_url
    asked = list(what)
    is_default = not (asked or options["sitemap"])
    if is_default and site_url:
        asked = [site_url]
    urls = [each for each in asked if each.startswith(("http://", "https://"))]
    files = [found for each in asked if each not in urls for found in _files(Path(each))]
    patterns = options["only"], options["excluded"]
    sources = [Source(_url(each), "site", *patterns) for each in urls]
    sources += [Source(_url(each), "sitemap", *patterns) for each in options["sitemap"]]
    if is_default and not sources and not options["refresh"]:
        raise click.UsageError("Name an address, a file or a folder, or set SITE_URL.")
    return Order(
        sources,
        files,
        refreshes=options["refresh"],
        max_pages=options["max_pages"] or whose.settings.knowledge.learn_max_pages,
        max_read=options["max_pages"],
        dry_run=options["dry_run"],
        accepts_loss=options["accept"],
    )


def _url(text: str) -> str:
    try:
        return normalise(text)
    except NoPage as error:
        raise click.BadParameter(f"{text}: {error}.") from error


def _files(path: Path) -> list[tuple[str, Path]]:
    if path.is_file():
        return [(path.name, path)]
    if not path.is_dir():
        raise click.BadParameter(f"{path} is no address, no file and no folder.")
    found = [
        (each.relative_to(path).as_posix(), each)
        for each in sorted(path.rglob("*"))
        if kind_of(each.name) and each.is_file() and not _is_hidden(each.relative_to(path))
    ]
    if not found:
        raise click.BadParameter(f"{path} holds no file that is learnt.")
    return found


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def learn(whose: Assistant, order: Order) -> None:
    """Learn, in this process, held to its limits; ends with 1 where that failed."""
    settings = services().settings
    if settings.app_env != "test":  # there, the process is that of the tests
        limits.bound_learner()
    fetcher = _fetcher(settings, whose)
    with Reading() as reading, Progress() as progress:
        store = services().store
        learner = Learner(
            store,
            store.documents,
            whose.id,
            fetcher,
            reading,
            tell=progress.tell,
            build_index=lambda _assistant: _build_index(whose),
        )
        _stop_on_signals(learner, progress)
        try:
            report = learner.run(order)
        except AlreadyLearning:
            raise click.ClickException(
                f"Somebody learns for the assistant {whose.id} already: see learn --report."
            ) from None
        except OSError as error:
            raise click.ClickException(f"It ended early: {error.strerror or error}.") from error
        finally:
            fetcher.close()
    _end(report, is_dry=order.dry_run)


def build_index(whose: Assistant) -> None:
    """Write the index of what is known, unless this machine has it."""
    try:
        _build_index(whose)
    except IndexNotBuilt as error:
        words = str(error)
        raise click.ClickException(f"{words[:1].upper()}{words[1:]}.") from error


def _build_index(whose: Assistant) -> None:
    count = partial(estimate_text, tokenizer=whose.meter.tokenizer)
    build(services().store.documents, whose.id, services().settings.knowledge_path, count)


def show_found(assistant: str, question: str) -> None:
    """Print what the chat would find for a question."""
    print_found(knowledge_of(assistant).try_question(Inquiry(question)))


def _end(report: Report, *, is_dry: bool) -> None:
    print_summary(report, is_dry=is_dry)
    if report.state == "failed":
        raise SystemExit(1)


def _fetcher(settings: Settings, whose: Assistant) -> Fetcher:
    policy = whose.settings.knowledge
    contact = policy.site_url or settings.public_url
    return Fetcher(
        f"Perch/{__version__} (+{contact})" if contact else f"Perch/{__version__}",
        private=policy.private_networks,
        allow_loopback=settings.app_env != "production",
    )


def _stop_on_signals(learner: Learner, progress: Progress) -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        # The second time, at once: what was read by then is lost, what was stored is not.
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.default_int_handler)
        progress.say("Stopping after this page; what was learnt is kept")
        learner.stop()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)


def learn_text(assistant: str, text: str, title: str | None) -> None:
    """Learn what was typed."""
    name, said = plain(title or ""), plain_lines(text)
    if not name or not said:
        raise click.UsageError("--text needs words, and a --title.")
    # The same title is the same text in new words.
    text_id = hashlib.sha256(alike(name).encode()).hexdigest()[:16]
    documents = knowledge_of(assistant).documents
    document = documents.put_text(name, said, now_ms=now_ms(), text_id=text_id)
    build_index(services().assistants[assistant])
    click.echo(f"Learnt: {document.key}")


def forget(assistant: str, keys: Sequence[str]) -> None:
    """Forget documents, all of them or none."""
    store = services().store.documents
    found = [each for key in keys if (each := _find(assistant, key)) is not None]
    if len(found) < len(keys):
        missing = next(key for key in keys if _find(assistant, key) is None)
        raise click.ClickException(f"Nothing is known of {missing}: see learn --list.")
    store.forget_documents(assistant, found)
    build_index(services().assistants[assistant])
    click.echo(f"Forgotten: {len(found)}")


def _find(assistant: str, key: str) -> str | None:
    candidates = [key, f"{FILE_PREFIX}{key}"]
    if key.startswith(("http://", "https://")):
        candidates.append(_url(key))
    store = services().store.documents
    return next((it for it in candidates if store.read_document(assistant, it)), None)
