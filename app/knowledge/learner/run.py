"""One run of the learner: from what the owner asked for to what is stored, and reported."""

import logging
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from app.domain.clock import now_ms
from app.domain.knowledge import Document
from app.knowledge.building import IndexNotBuilt
from app.knowledge.learner.crawling.crawl import Crawl
from app.knowledge.learner.crawling.plan import (
    Plan,
    Reads,
    Site,
    Visits,
)
from app.knowledge.learner.crawling.spool import Read, Spool
from app.knowledge.learner.crawling.urls import Scope
from app.knowledge.learner.limits import MAX_RUN_S
from app.knowledge.learner.pages.kinds import MAX_FILE_BYTES, kind_of
from app.knowledge.learner.pages.page import Unreadable
from app.knowledge.learner.report import Report, Source, sources_of
from app.knowledge.learner.settlement import Settlement
from app.storage.document_store import DocumentStore
from app.storage.protocol import ConversationStore

log = logging.getLogger(__name__)

LEASE_S = 120.0
_TELL_EVERY_S = 2.0
# What of the time is kept for storing what was read.
_SETTLE_S = 60
_LIST_LIMIT = 200
_MAX_SOURCES = 50
FILE_PREFIX = "file:"


class AlreadyLearning(Exception):
    """Another process learns for this assistant."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be learnt. ``files`` have the names by which they are known.

    ``max_pages`` and ``max_read`` are as in ``Crawl``; one page alone is no source that a
    refresh goes through.
    """

    sources: Sequence[Source] = ()
    files: Sequence[tuple[str, Path]] = ()
    refreshes: bool = False
    max_pages: int = 500
    max_read: int | None = None
    dry_run: bool = False
    accepts_loss: bool = False


class Learner:
    """Learns for one assistant; one at a time does, on whatever machine.

    ``tell`` hears of progress every two seconds at least; ``build_index`` is called once
    documents have changed.
    """

    def __init__(
        self,
        jobs: ConversationStore,
        documents: DocumentStore,
        assistant: str,
        fetcher: Site,
        reading: Reads,
        *,
        tell: Callable[[Report], None] = lambda _report: None,
        build_index: Callable[[str], None] | None = None,
        max_run_s: float = MAX_RUN_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        now_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._jobs = jobs
        self._documents = documents
        self._assistant = assistant
        self._fetcher = fetcher
        self._reading = reading
        self._tell = tell
        self._build_index = build_index
        self._clock = clock
        self._sleep = sleep
        self._now_ms = now_ms
        self._until = clock() + max_run_s
        self._holder = secrets.token_hex(8)
        self._report = Report(now_ms())
        self._told_at = self._renewed_at = clock()
        self._is_stopped = False
        self._is_dry = False

    def stop(self) -> None:
        """End after the page that is being read, and keep what was learnt."""
        self._is_stopped = True

    def run(self, order: Order) -> Report:
        """Learn; returns the report, which is stored as well.

        Raises:
            AlreadyLearning: somebody else does.
            StorageUnavailable: what was stored until then is there.
        """
        with self._lease():
            self._is_dry = order.dry_run
            self._report.sources = self._sources(order)
            self._put_report()
            try:
                self._learn(order)
            except BaseException as error:
                self._report.state = "failed"
                self._report.note(_words_of(error))
                self._put_report()
                raise
            self._end()
        return self._report

    @contextmanager
    def _lease(self) -> Iterator[None]:
        job = f"learn:{self._assistant}"
        if not self._jobs.begin_job(job, self._holder, lease_s=LEASE_S, every_s=0):
            raise AlreadyLearning
        try:
            yield
        finally:
            self._jobs.end_job(job, self._holder)

    def _learn(self, order: Order) -> None:
        known = self._known()
        with Spool() as spool:
            self._read_files(order.files, spool)
            visits = self._crawl(order, spool, known)
            self._report.phase = "storing"
            self._report.current = None
            settlement = Settlement(
                self._documents,
                self._assistant,
                self._report,
                now_ms=self._now_ms(),
                renew=self._renew,
                dry_run=order.dry_run,
                accepts_loss=order.accepts_loss,
            )
            has_changed = settlement.settle(spool, visits, known)
        if has_changed and not order.dry_run:
            self._index()

    def _index(self) -> None:
        if self._build_index is None:
            return
        self._report.phase = "indexing"
        self._put_report()
        try:
            self._build_index(self._assistant)
        except IndexNotBuilt as error:
            self._report.state = "failed"
            self._report.note(
                f"What was learnt is stored, but {error}."
                " Answers come from the index before it; it is tried again."
            )

    def _crawl(self, order: Order, spool: Spool, known: dict[str, Document]) -> Visits:
        crawl = Crawl(
            self._fetcher,
            self._reading,
            spool,
            self._report,
            known,
            order.max_pages,
            max_read=order.max_read,
            goes_on=self._goes_on,
            clock=self._clock,
            sleep=self._sleep,
        )
        sources = self._report.sources if order.refreshes else order.sources
        for source in sources:
            crawl.run(_plan(source))
        if order.refreshes:
            self._look_at_rest(crawl, known, sources)
        return crawl.visits

    def _look_at_rest(
        self, crawl: Crawl, known: dict[str, Document], sources: Sequence[Source]
    ) -> None:
        """Look at pages again that belong to no source any more."""
        scopes = [_plan(each).scope for each in sources]
        rest: dict[str, list[str]] = {}
        for key, document in known.items():
            if document.kind == "page" and not any(it.why_not(key) is None for it in scopes):
                rest.setdefault(urlsplit(key).netloc, []).append(key)
        for keys in rest.values():
            scope = replace(Scope.of(keys[0]), paths=("/",))
            crawl.run(Plan(keys, scope, follows=False))

    def _read_files(self, files: Sequence[tuple[str, Path]], spool: Spool) -> None:
        for name, path in files:
            key = f"{FILE_PREFIX}{name}"
            if not self._goes_on(key):
                return
            try:
                spool.add(Read(key, "file", None, self._reading.read(*_file(name, path))))
                self._report.set(key, "read")
            except Unreadable as error:
                self._report.set(key, "failed", str(error))
            except OSError as error:
                self._report.set(key, "failed", error.strerror or "it cannot be opened")
            self._report.done += 1

    def _known(self) -> dict[str, Document]:
        found: dict[str, Document] = {}
        cursor: str | None = None
        while True:
            page = self._documents.list_documents(self._assistant, limit=_LIST_LIMIT, cursor=cursor)
            found.update((it.key, it) for it in page.documents if it.kind in ("page", "file"))
            cursor = page.next_cursor
            if cursor is None:
                return found

    def _sources(self, order: Order) -> list[Source]:
        before = sources_of(self._documents.read_report(self._assistant))
        # What is asked for now, with its patterns, takes the place of what was asked for then;
        # the owner's setting comes without any.
        lasting = order.sources if order.max_read != 1 else ()
        found = {it.url: it for it in before}
        if not order.refreshes:
            found |= {it.url: it for it in lasting}
        for each in lasting:
            found.setdefault(each.url, each)
        return list(found.values())[:_MAX_SOURCES]

    def _goes_on(self, address: str) -> bool:
        self._report.current = address
        if self._clock() > self._until - _SETTLE_S:
            self._report.note(
                "Time was over before all pages were looked at: the next run goes on with those"
                " that are not known, and those that were not seen for longest"
            )
            return False
        self._renew()
        return not self._is_stopped

    def _renew(self) -> None:
        now = self._clock()
        if now - self._renewed_at > LEASE_S / 4:
            job = f"learn:{self._assistant}"
            if not self._jobs.begin_job(job, self._holder, lease_s=LEASE_S, every_s=0):
                raise AlreadyLearning
            self._renewed_at = now
        if now - self._told_at > _TELL_EVERY_S:
            self._put_report()

    def _put_report(self) -> None:
        is_first = self._report.updated_at == 0
        self._told_at = self._clock()
        self._report.updated_at = self._now_ms()
        self._tell(self._report)
        if self._is_dry:
            return
        goes_on = self._documents.put_report(self._assistant, self._report.to_json())
        # Whoever asked to stop before it began meant another run.
        self._is_stopped = self._is_stopped or not (goes_on or is_first)

    def _end(self) -> None:
        if self._report.state == "learning":
            nothing = not {"learned", "unchanged"} & self._report.counts.keys()
            self._report.state = "stopped" if self._is_stopped else "failed" if nothing else "done"
        self._report.current = None
        self._put_report()


def _words_of(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"It ended early: {error.strerror}"
    return f"It ended early ({type(error).__name__})"


def _plan(source: Source) -> Plan:
    scope = Scope.of(source.url, source.only, source.excluded)
    if source.kind == "sitemap":
        return Plan((), replace(scope, paths=("/",)), follows=False, sitemaps=(source.url,))
    return Plan((source.url,), scope)


def _file(name: str, path: Path) -> tuple[bytes, str, str]:
    kind = kind_of(name)
    if kind is None:
        raise Unreadable("not a type that is learnt")
    with path.open("rb") as file:
        body = file.read(MAX_FILE_BYTES + 1)
    return body, kind, path.name
