"""``DocumentStore`` on one SQLite file: each method one transaction."""

from collections.abc import Callable, Mapping, Sequence

from app.domain.knowledge import Document, DocumentPage, Gap
from app.storage.document_store import check_documents, check_report
from app.storage.sqlite.database import Database
from app.storage.sqlite.documents import gaps, learning
from app.storage.sqlite.documents import rows as documents


class SqliteDocuments:
    """Documents in the file of the conversations."""

    def __init__(self, database: Database, clock_ms: Callable[[], int]) -> None:
        self._database = database
        self._clock_ms = clock_ms

    def put_documents(self, assistant: str, documents_: Sequence[Document]) -> int:
        """Store documents in place of those of the same keys; return the version now."""
        check_documents(assistant, documents_)
        return self._database.write(
            lambda db: documents.put_documents(db, assistant, documents_, now=self._clock_ms())
        )

    def forget_documents(self, assistant: str, keys: Sequence[str]) -> int:
        """Leave tombstones in the place of documents; return the version now."""
        return self._database.write(
            lambda db: documents.forget_documents(db, assistant, keys, now=self._clock_ms())
        )

    def documents_since(
        self, assistant: str, version: int, *, cursor: str | None = None
    ) -> DocumentPage:
        """Return what changed after a version, in order of versions."""
        return self._database.read(
            lambda db: documents.documents_since(db, assistant, version, cursor=cursor)
        )

    def list_documents(
        self, assistant: str, *, limit: int, cursor: str | None = None
    ) -> DocumentPage:
        """Return documents by key, without their sections."""
        return self._database.read(
            lambda db: documents.list_documents(db, assistant, limit=limit, cursor=cursor)
        )

    def read_document(self, assistant: str, key: str) -> Document | None:
        """Return a document with its sections."""
        return self._database.read(lambda db: documents.read_document(db, assistant, key))

    def put_report(self, assistant: str, report: str) -> bool:
        """Keep how learning goes; return whether it is to go on."""
        check_report(report)
        return self._database.write(lambda db: learning.put_report(db, assistant, report))

    def read_report(self, assistant: str) -> str | None:
        """Return what ``put_report`` was given last."""
        return self._database.read(lambda db: learning.read_report(db, assistant))

    def cancel_learning(self, assistant: str) -> None:
        """Ask whoever learns to stop, at its next report."""
        self._database.write(lambda db: learning.cancel_learning(db, assistant))

    def list_gaps(self, assistant: str, *, limit: int) -> Sequence[Gap]:
        """Return the newest answers that bear the mark of a gap, newest first."""
        return self._database.read(lambda db: gaps.list_gaps(db, assistant, limit=limit))

    def dismiss_gaps(self, assistant: str, message_ids: Sequence[str]) -> None:
        """Take the mark off answers."""
        self._database.write(lambda db: gaps.dismiss_gaps(db, assistant, message_ids))

    def count_citations(self, assistant: str, since: int) -> Mapping[str, int]:
        """Return how often each URL, or title where there is none, was cited."""
        return self._database.read(lambda db: gaps.count_citations(db, assistant, since))
