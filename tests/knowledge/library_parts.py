"""A small library, and a store of documents that keeps them in memory."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.domain.knowledge import Document, DocumentKind, DocumentPage, Section
from app.knowledge.index import write_index
from app.knowledge.open_index import OpenIndex, open_index


def a_page(
    name: str, *sections: tuple[str, str], title: str = "", language: str = "en"
) -> Document:
    url = f"https://shop.example/{name}"
    made = [Section(heading, text, heading.lower() or None) for heading, text in sections]
    return Document("default", url, "page", title or name, made, url=url, language=language)


def a_text(key: str, title: str, text: str, *, kind: DocumentKind = "text") -> Document:
    return Document("default", key, kind, title, [Section("", text)], language="en")


SHOP = (
    a_page(
        "hours",
        ("Weekdays", "We open at ten and close at six from Monday to Friday."),
        ("Sunday", "On Sundays the bakery is closed."),
        title="Opening hours",
    ),
    a_page(
        "returns", ("", "Send the parcel back within thirty days for a refund."), title="Returns"
    ),
    a_page("cake", ("", "Our chocolate cake has hazelnuts, butter and flour."), title="Cakes"),
    a_page("jobs", ("", "We look for a baker who rises early."), title="Jobs"),
    a_text(
        "correction:1", "Do you deliver abroad?", "Yes, to Norway and Chile.", kind="correction"
    ),
)


def open_library(path: Path, documents: Sequence[Document] = SHOP, version: int = 1) -> OpenIndex:
    write_index(path, documents, count_tokens, version=version)
    return open_index(path)


def count_tokens(text: str) -> int:
    return len(text.split())


class ListedDocuments:
    """The part of a ``DocumentStore`` that an index is built from, in pages of two."""

    def __init__(self, documents: Sequence[Document] = SHOP, version: int = 1) -> None:
        self.documents = list(documents)
        self.version = version

    def documents_since(
        self, assistant: str, version: int, *, cursor: str | None = None
    ) -> DocumentPage:
        at = int(cursor or 0)
        page = [replace(each, assistant=assistant) for each in self.documents[at : at + 2]]
        has_more = at + 2 < len(self.documents)
        return DocumentPage(page, self.version, str(at + 2) if has_more else None)
