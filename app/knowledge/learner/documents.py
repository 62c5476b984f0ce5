"""A page that was read becomes a document that is stored."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from app.domain.knowledge import MAX_DOCUMENT_BYTES, Document, DocumentKind, Section, hash_of
from app.knowledge.learner.injection import why_suspicious
from app.knowledge.learner.pages.page import Block, Page
from app.knowledge.learner.pages.text import alike, said_chars

MAX_TITLE_CHARS = 300
# Fewer letters are no page: a frame that JavaScript fills, a picture's caption.
LEAST_CHARS = 25
_MAX_HEADING_CHARS = 500


class Flag(NamedTuple):
    """A passage that was left out, and why."""

    key: str
    why: str
    text: str


class Made(NamedTuple):
    """A document, passages that were left out of it, and whether its end was, for its length."""

    document: Document
    flags: Sequence[Flag]
    is_cut: bool

    @property
    def chars(self) -> int:
        """How much it says."""
        return sum(len(each.text) for each in self.document.sections)


def make_document(
    page: Page, assistant: str, key: str, kind: DocumentKind, url: str | None, learnt_at: int
) -> Made:
    """Make a document of a page without boilerplate; its size is within the store's."""
    flags: list[Flag] = []
    sections: list[Section] = []
    room, is_cut = MAX_DOCUMENT_BYTES - 4 * MAX_TITLE_CHARS, False
    for part in page.parts:
        if part.heading and _is_flagged(Block(part.heading), key, flags):
            continue
        texts = [each.text for each in part.blocks if not _is_flagged(each, key, flags)]
        section = Section(part.heading[:_MAX_HEADING_CHARS], "\n".join(texts), part.anchor)
        size = sum(len((each or "").encode()) for each in section)
        if size > room:
            is_cut = True
            section = section._replace(
                text=_beginning(section.text, room - (size - len(section.text.encode())))
            )
        room -= size
        if section.text:
            sections.append(section)
        if is_cut:
            break
    title = page.title[:MAX_TITLE_CHARS]
    if why_suspicious(title):
        flags.append(Flag(key, "gives orders to a model in its title", title))
        title = key[:MAX_TITLE_CHARS]
    document = Document(
        assistant=assistant, key=key, kind=kind, title=title, sections=sections, url=url,
        language=page.language, hash=hash_of(title, sections), learnt_at=learnt_at,
    )  # fmt: skip
    return Made(document, flags, is_cut)


def _beginning(text: str, max_bytes: int) -> str:
    """Return whole lines, as many as have room."""
    cut = text.encode()[: max(max_bytes, 0)].decode("utf-8", "ignore")
    return cut.rpartition("\n")[0] or cut


def _is_flagged(block: Block, key: str, flags: list[Flag]) -> bool:
    why = why_suspicious(block.text)
    if why:
        flags.append(Flag(key, why, block.text[:200]))
    return why is not None


def text_hash(sections: Sequence[Section]) -> bytes:
    """Return what two pages have in common that say the same, whatever they are called."""
    said = "\n".join(alike(each.text) for each in sections)
    return hashlib.sha256(said.encode("utf-8")).digest()[:16]


def says_nothing(sections: Sequence[Section]) -> bool:
    """Tell whether there is too little to learn."""
    return sum(said_chars(each.text) for each in sections) < LEAST_CHARS
