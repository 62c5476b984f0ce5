"""``DocumentStore`` in a Convex deployment.

Sections are stored compressed: a document of the longest text fits into one of Convex's
(1 MiB) whatever JSON makes of it, and a machine that builds its index reads a quarter.
"""

import secrets
import zlib
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.domain.json_objects import from_object, present
from app.domain.knowledge import Document, DocumentPage, Gap, Section
from app.storage.convex.api import ConvexApi
from app.storage.convex.documents import Document as Row
from app.storage.document_store import (
    MAX_CITING_ANSWERS,
    check_documents,
    check_report,
    count_bytes,
)
from app.storage.sections import from_sections, to_sections

# Each is a read of its own, of which a transaction of Convex has some thousands.
_FORGET_AT_ONCE = 1000


class ConvexDocuments:
    """Documents in the deployment of the conversations."""

    def __init__(self, api: ConvexApi) -> None:
        self._api = api

    def put_documents(self, assistant: str, documents: Sequence[Document]) -> int:
        """Store documents in place of those of the same keys; return the version now."""
        check_documents(assistant, documents)
        args = {"assistant": assistant, "documents": [_from_document(each) for each in documents]}
        return int(self._api.mutation("documents:put", args).value)

    def forget_documents(self, assistant: str, keys: Sequence[str]) -> int:
        """Leave tombstones in the place of documents; return the version now.

        More than a thousand in several writes.
        """
        for begin in range(0, max(1, len(keys)), _FORGET_AT_ONCE):
            args = {"assistant": assistant, "keys": list(keys[begin : begin + _FORGET_AT_ONCE])}
            version = int(self._api.mutation("documents:forget", args).value)
        return version

    def documents_since(
        self, assistant: str, version: int, *, cursor: str | None = None
    ) -> DocumentPage:
        """Return what changed after a version, in order of versions."""
        args = {"assistant": assistant, "version": version, "cursor": cursor}
        return _to_page(assistant, self._api.read("documents:since", args))

    def list_documents(
        self, assistant: str, *, limit: int, cursor: str | None = None
    ) -> DocumentPage:
        """Return documents by key, without their sections."""
        args = {"assistant": assistant, "limit": limit, "cursor": cursor}
        return _to_page(assistant, self._api.read("documents:list", args))

    def read_document(self, assistant: str, key: str) -> Document | None:
        """Return a document with its sections."""
        found = self._api.read("documents:read", {"assistant": assistant, "key": key})
        return None if found is None else _to_document(assistant, found)

    def put_report(self, assistant: str, report: str) -> bool:
        """Keep how learning goes; return whether it is to go on."""
        check_report(report)
        # By the reporter's name the function knows a repetition of this call.
        args = {"assistant": assistant, "report": report, "reporter": secrets.token_hex(8)}
        return bool(self._api.mutation("knowledge:putLearning", args).value)

    def read_report(self, assistant: str) -> str | None:
        """Return what ``put_report`` was given last."""
        report: str | None = self._api.read("knowledge:readLearning", {"assistant": assistant})
        return report

    def cancel_learning(self, assistant: str) -> None:
        """Ask whoever learns to stop, at its next report."""
        self._api.mutation("knowledge:cancel", {"assistant": assistant})

    def list_gaps(self, assistant: str, *, limit: int) -> Sequence[Gap]:
        """Return the newest answers that bear the mark of a gap, newest first."""
        found = self._api.read("knowledge:gaps", {"assistant": assistant, "limit": limit})
        return tuple(from_object(Gap, each) for each in found)

    def dismiss_gaps(self, assistant: str, message_ids: Sequence[str]) -> None:
        """Take the mark off answers."""
        args = {"assistant": assistant, "messageIds": list(message_ids)}
        self._api.mutation("knowledge:dismiss", args)

    def count_citations(self, assistant: str, since: int) -> Mapping[str, int]:
        """Return how often each URL, or title where there is none, was cited."""
        cited: Counter[str] = Counter()
        left = MAX_CITING_ANSWERS
        cursor = None
        while True:
            args = {"assistant": assistant, "since": since, "cursor": cursor}
            batch = self._api.read("knowledge:citations", args)
            cited.update(batch["names"])
            left -= int(batch["answers"])
            cursor = batch["nextCursor"]
            if cursor is None or left <= 0:
                return dict(cited)


def _from_document(document: Document) -> Row:
    return present(
        key=document.key,
        kind=document.kind,
        title=document.title,
        url=document.url,
        language=document.language,
        isPinned=document.is_pinned,
        hash=document.hash,
        learntAt=document.learnt_at,
        problem=document.problem,
        missing=document.missing,
        bytes=count_bytes(document),
        sections=_from_sections(document.sections),
    )


def _from_sections(sections: Sequence[Section]) -> Row:
    # As Convex writes bytes in JSON.
    packed = zlib.compress(from_sections(sections).encode())
    return {"$bytes": b64encode(packed).decode()}


def _to_sections(value: Row | None) -> tuple[Section, ...]:
    if value is None:
        return ()
    return to_sections(zlib.decompress(b64decode(value["$bytes"])).decode())


def _to_page(assistant: str, page: Row) -> DocumentPage:
    documents = tuple(_to_document(assistant, each) for each in page["documents"])
    return DocumentPage(documents, int(page["version"]), page["nextCursor"])


def _to_document(assistant: str, row: Row) -> Document:
    fields = {**row, "assistant": assistant, "sections": None}
    return replace(from_object(Document, fields), sections=_to_sections(row.get("sections")))
