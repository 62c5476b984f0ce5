"""What a store of documents must do: what assistants know of their owners' pages.

Each call is atomic, and may raise ``StorageUnavailable``. An assistant's
documents have one version, which each write that changes content raises by one.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from app.domain.knowledge import Document, DocumentPage, Gap

MAX_PUT_DOCUMENTS = 50
MAX_PUT_BYTES = 4_000_000
# A machine that was away for longer builds its index anew.
TOMBSTONE_DAYS = 30
MAX_REPORT_BYTES = 500_000


class DocumentStore(Protocol):
    """Documents of all assistants, their corrections among them, and what was not answered."""

    def put_documents(self, assistant: str, documents: Sequence[Document]) -> int:
        """Store documents in place of those of the same keys; return the version now.

        At most ``MAX_PUT_DOCUMENTS`` of ``MAX_PUT_BYTES`` together. One of the hash that is
        stored keeps its version and its content; what was seen of it (``learnt_at``,
        ``problem``, ``missing``) is noted nevertheless, and so is ``is_pinned``, which
        changes the version.
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

        Of the newest 2,000 answers at most.
        """
        ...
