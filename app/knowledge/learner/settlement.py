"""What was read takes the place of what was known; where too much is lost, nothing does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.domain.knowledge import Document
from app.knowledge.learner.boilerplate import Boilerplate, mark_of
from app.knowledge.learner.crawling.plan import Visits
from app.knowledge.learner.crawling.spool import Read, Spool
from app.knowledge.learner.documents import Made, make_document, says_nothing, text_hash
from app.knowledge.learner.pages.page import Page
from app.knowledge.learner.report import Report
from app.storage.document_store import (
    MAX_PUT_BYTES,
    MAX_PUT_DOCUMENTS,
    DocumentStore,
    count_bytes,
)

# A page that is not there twice in a row is forgotten.
MISSING_TIMES = 2
_LEAST_KNOWN = 5
_LEAST_KNOWN_CHARS = 2000
_MAX_GONE_SHARE = 0.4
_LEAST_LEFT_SHARE = 0.3
# Of the paragraphs of a page that calls itself another: then it says the same.
_SAME_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class _Draft:
    """What is remembered of a document while it waits in the spool."""

    key: str
    hash: str
    said: bytes
    chars: int
    says_nothing: bool


class Settlement:
    """Brings one assistant's documents up to what a run has read.

    ``renew`` is called before each document, and may raise. ``now_ms`` is in ms since the
    Unix epoch. A ``dry_run`` tells what would be, and writes nothing.
    """

    def __init__(
        self,
        store: DocumentStore,
        assistant: str,
        report: Report,
        *,
        now_ms: int,
        renew: Callable[[], None],
        dry_run: bool = False,
        accepts_loss: bool = False,
    ) -> None:
        self._store = store
        self._assistant = assistant
        self._report = report
        self._now_ms = now_ms
        self._renew = renew
        self._dry_run = dry_run
        self._accepts_loss = accepts_loss
        self._boilerplate = Boilerplate()

    def settle(self, spool: Spool, visits: Visits, known: Mapping[str, Document]) -> bool:
        """Store what has changed, forget what is gone; return whether that was anything.

        Raises:
            StorageUnavailable: what was stored until then is there; the rest is not.
        """
        for read in spool:
            self._boilerplate.see(read.page, read.key)
        drafts = [self._draft(read) for read in spool]
        drafts = self._without_empty(drafts, known, visits)
        drafts, twins = self._without_twins(drafts, spool, visits.canonicals, known)
        if not self._accepts_loss and self._is_loss(drafts, visits, known):
            return False
        changed = self._put(spool, drafts, known)
        self._note_failures(visits, known, {each.key for each in drafts})
        return self._forget(visits, twins, known, {each.key for each in drafts}) or changed

    def _make(self, read: Read) -> Made:
        page = self._boilerplate.strip(read.page, read.key)
        return make_document(page, self._assistant, read.key, read.kind, read.url, self._now_ms)

    def _draft(self, read: Read) -> _Draft:
        made = self._make(read)
        self._report.flag(made.flags)
        document = made.document
        return _Draft(
            read.key,
            document.hash,
            text_hash(document.sections),
            made.chars,
            says_nothing(document.sections),
        )

    def _without_empty(
        self, drafts: Sequence[_Draft], known: Mapping[str, Document], visits: Visits
    ) -> list[_Draft]:
        for each in drafts:
            if each.says_nothing:
                why = "no text of its own: perhaps JavaScript draws it"
                self._report.set(each.key, "skipped", why)
                if each.key in known:
                    visits.failed[each.key] = why
        return [each for each in drafts if not each.says_nothing]

    def _without_twins(
        self,
        drafts: Sequence[_Draft],
        spool: Spool,
        canonicals: Mapping[str, str],
        known: Mapping[str, Document],
    ) -> tuple[list[_Draft], dict[str, str]]:
        """Return the documents without those that say the same as another, and those."""
        there = {each.key for each in drafts}
        called = set(canonicals.values())
        best: dict[bytes, str] = {}
        for each in sorted(drafts, key=lambda it: _preference(it.key, called, known)):
            best.setdefault(each.said, each.key)
        twins = {each.key: best[each.said] for each in drafts if best[each.said] != each.key}
        for key, canonical in canonicals.items():
            is_free = key in there and canonical in there and key not in twins
            if is_free and twins.get(canonical) != key and _says_same(spool, key, canonical):
                twins[key] = twins.get(canonical, canonical)
        for key, other in twins.items():
            self._report.set(key, "skipped", f"says the same as {other}")
        return [each for each in drafts if each.key not in twins], twins

    def _is_loss(
        self, drafts: Sequence[_Draft], visits: Visits, known: Mapping[str, Document]
    ) -> bool:
        found = {each.key: each for each in drafts}
        looked_at = [key for key in known if key in found or key in visits.gone]
        if len(looked_at) < _LEAST_KNOWN:
            return False
        gone = sum(key in visits.gone for key in looked_at)
        if gone > _MAX_GONE_SHARE * len(looked_at):
            return self._refuse(f"{gone} of {len(looked_at)} known pages are gone")
        before = after = 0
        for key in looked_at:
            draft = found.get(key)
            after += draft.chars if draft else 0
            is_same = draft is not None and draft.hash == known[key].hash
            before += draft.chars if draft and is_same else self._chars_of(key)
        if before > _LEAST_KNOWN_CHARS and after < _LEAST_LEFT_SHARE * before:
            return self._refuse(f"of {before} characters of known pages, {after} are left")
        return False

    def _chars_of(self, key: str) -> int:
        document = self._store.read_document(self._assistant, key)
        return sum(len(each.text) for each in document.sections) if document else 0

    def _refuse(self, why: str) -> bool:
        self._report.state = "failed"
        self._report.note(
            f"{why}: that looks like a fault of the site, so nothing was replaced, and the last"
            " good copies go on answering. Where it is right:"
            " python -m app learn --refresh --accept"
        )
        return True

    def _put(self, spool: Spool, drafts: Sequence[_Draft], known: Mapping[str, Document]) -> bool:
        has_changed = False
        batch: list[Document] = []
        room = MAX_PUT_BYTES
        for document, size, state in self._documents(spool, drafts, known):
            if len(batch) == MAX_PUT_DOCUMENTS or size > room:
                self._write(batch)
                batch, room = [], MAX_PUT_BYTES
            self._renew()
            batch.append(document)
            room -= size
            has_changed = has_changed or state != "unchanged"
        self._write(batch)
        return has_changed

    def _documents(
        self, spool: Spool, drafts: Sequence[_Draft], known: Mapping[str, Document]
    ) -> Iterator[tuple[Document, int, str]]:
        for each in drafts:
            before = known.get(each.key)
            if before is not None and before.hash == each.hash:
                self._report.set(each.key, "unchanged")
                seen = replace(before, learnt_at=self._now_ms, problem=None, missing=0)
                yield seen, count_bytes(seen), "unchanged"
                continue
            made = self._make(spool[each.key])
            reason = "changed" if before else ""
            if made.is_cut:
                reason = "its end was left out: a document has at most 900 KB"
            self._report.set(each.key, "learned", reason)
            is_pinned = before.is_pinned if before else False
            document = replace(made.document, is_pinned=is_pinned)
            yield document, count_bytes(document), "learned"

    def _write(self, batch: Sequence[Document]) -> None:
        if batch and not self._dry_run:
            self._store.put_documents(self._assistant, batch)

    def _note_failures(
        self, visits: Visits, known: Mapping[str, Document], stored: set[str]
    ) -> None:
        failed = [
            replace(known[key], problem=why[:300])
            for key, why in visits.failed.items()
            if key in known and key not in stored
        ]
        for start in range(0, len(failed), MAX_PUT_DOCUMENTS):
            self._write(failed[start : start + MAX_PUT_DOCUMENTS])

    def _forget(
        self,
        visits: Visits,
        twins: Mapping[str, str],
        known: Mapping[str, Document],
        stored: set[str],
    ) -> bool:
        elsewhere = {**visits.moved, **twins}
        forgotten = [
            key for key, other in elsewhere.items()
            if key in known and key not in stored and (other in stored or other in known)
        ]  # fmt: skip
        missed = []
        for key, why in visits.gone.items():
            if known[key].missing + 1 >= MISSING_TIMES:
                forgotten.append(key)
                self._report.set(key, "forgotten", why)
            else:
                self._report.set(key, "skipped", f"{why}: forgotten if it is so the next time")
                missed.append(replace(known[key], missing=known[key].missing + 1, problem=why))
        for start in range(0, len(missed), MAX_PUT_DOCUMENTS):
            self._write(missed[start : start + MAX_PUT_DOCUMENTS])
        for start in range(0, len(forgotten), MAX_PUT_DOCUMENTS):
            if not self._dry_run:
                keys = forgotten[start : start + MAX_PUT_DOCUMENTS]
                self._store.forget_documents(self._assistant, keys)
        return bool(forgotten)


def _preference(
    key: str, called: set[str], known: Mapping[str, Document]
) -> tuple[bool, bool, bool, int, str]:
    return key not in called, key not in known, "?" in key, len(key), key


def _says_same(spool: Spool, key: str, canonical: str) -> bool:
    own = _marks(spool[key].page)
    other = _marks(spool[canonical].page)
    return len(own & other) >= _SAME_SHARE * max(len(own), 1)


def _marks(page: Page) -> set[int]:
    return {mark_of(block) for part in page.parts for block in part.blocks}
