"""What a store of documents must do: what assistants know of their owners' pages.

Each call is atomic, and may raise ``StorageUnavailable``. An assistant's
documents have one version, which each write that changes content raises by one.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from app.domain.knowledge import (
    MAX_DOCUMENT_BYTES,
    MAX_KEY_CHARS,
    Document,
    DocumentPage,
    Gap,
)

MAX_PUT_DOCUMENTS = 50
MAX_PUT_BYTES = 4_000_000
# Of documents_since: a page ends before either.
MAX_PAGE_BYTES = 4_000_000
MAX_PAGE_DOCUMENTS = 500
MAX_CITING_ANSWERS = 2000
# A machine that was away for longer builds its index anew.
TOMBSTONE_DAYS = 30
MAX_REPORT_BYTES = 500_000


class DocumentStore(Protocol):
    """Documents of all assistants, their corrections among them, and what was not answered."""

    def put_documents(self, assistant: str, documents: Sequence[Document]) -> int:
        """Store documents in place of those of the same keys; return the version now.

        At most ``MAX_PUT_DOCUMENTS`` of ``MAX_PUT_BYTES`` together. One of the hash that is
        stored keeps its version and its title and sections, which need not be given; what
        was seen of it (``learnt_at``, ``problem``, ``missing``) is noted nevertheless, and
        so are ``is_pinned``, ``kind``, ``url`` and ``language``, which change the version.

        Raises:
            ValueError: a bound is passed, or a document is another assistant's.
        """
        ...

    def forget_documents(self, assistant: str, keys: Sequence[str]) -> int:
        """Leave tombstones in the place of documents; return the version now.

        Keys that nothing has are passed over.
        """
        ...

    def documents_since(
        self, assistant: str, version: int, *, cursor: str | None = None
    ) -> DocumentPage:
        """Return what changed after a version, in order of versions, tombstones included.

        A page holds at most some 4 MB; the last is the one without a cursor. From
        version 0: all there is.
        """
        ...

    def list_documents(
        self, assistant: str, *, limit: int, cursor: str | None = None
    ) -> DocumentPage:
        """Return documents by key, without their sections and without tombstones.

        Raises:
            InvalidRequest: the cursor is not one of ours.
        """
        ...

    def read_document(self, assistant: str, key: str) -> Document | None:
        """Return a document with its sections, if there is one that is not forgotten."""
        ...

    def put_report(self, assistant: str, report: str) -> bool:
        """Keep how learning goes, or went, as JSON; return whether it is to go on.

        False where ``cancel_learning`` was called since the report before.
        """
        ...

    def read_report(self, assistant: str) -> str | None:
        """Return what ``put_report`` was given last."""
        ...

    def cancel_learning(self, assistant: str) -> None:
        """Ask whoever learns to stop, at its next report."""
        ...

    def list_gaps(self, assistant: str, *, limit: int) -> Sequence[Gap]:
        """Return the newest answers that bear the mark of a gap, newest first."""
        ...

    def dismiss_gaps(self, assistant: str, message_ids: Sequence[str]) -> None:
        """Take the mark off answers; those that bear none are passed over."""
        ...

    def count_citations(self, assistant: str, since: int) -> Mapping[str, int]:
        """Return how often each URL, or title where there is none, was cited since a time.

        Of the newest ``MAX_CITING_ANSWERS`` at most.
        """
        ...


def count_bytes(document: Document) -> int:
    """Return what a document's title and sections take, as UTF-8."""
    texts = [document.title]
    for heading, text, anchor in document.sections:
        texts += (heading, text, anchor or "")
    return sum(len(text.encode()) for text in texts)


def check_documents(assistant: str, documents: Sequence[Document]) -> None:
    """Hold documents to what a store takes at once.

    Raises:
        ValueError: they are too many, too long, or another assistant's.
    """
    if len(documents) > MAX_PUT_DOCUMENTS:
        raise ValueError(f"at most {MAX_PUT_DOCUMENTS} documents at once, not {len(documents)}")
    sizes = [count_bytes(each) for each in documents]
    if sum(sizes) > MAX_PUT_BYTES:
        raise ValueError(f"at most {MAX_PUT_BYTES} bytes at once, not {sum(sizes)}")
    for document, size in zip(documents, sizes, strict=True):
        if document.assistant != assistant:
            raise ValueError(f"a document of {document.assistant}, not of {assistant}")
        if not 0 < len(document.key) <= MAX_KEY_CHARS:
            raise ValueError(f"a key of {len(document.key)} characters, not 1 to {MAX_KEY_CHARS}")
        if size > MAX_DOCUMENT_BYTES:
            raise ValueError(f"a document of {size} bytes, not {MAX_DOCUMENT_BYTES} at most")


def check_report(report: str) -> None:
    """Hold a report to ``MAX_REPORT_BYTES``.

    Raises:
        ValueError: it is longer.
    """
    if len(report.encode()) > MAX_REPORT_BYTES:
        raise ValueError(f"a report of more than {MAX_REPORT_BYTES} bytes")
