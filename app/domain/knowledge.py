"""What an assistant knows of its owner's pages: plain frozen values.

All times are milliseconds since the Unix epoch.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

DocumentKind = Literal["page", "file", "text", "correction"]
# Of all sections together, in UTF-8: a document must fit into one of Convex (1 MiB).
MAX_DOCUMENT_BYTES = 900_000
MAX_KEY_CHARS = 2000


class Section(NamedTuple):
    """A part of a document under one heading.

    ``heading`` is the path of headings that leads to it, joined by `` › ``, without
    the document's title; ``anchor`` is the id by which a link opens there.
    """

    heading: str
    text: str
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A page, a file, a text, or a correction, as it was learnt.

    ``key`` names it within its assistant for good: the canonical URL of a page,
    ``file:<name>``, ``text:<id>`` or ``correction:<id>``. A correction is the owner's
    answer: ``title`` is the question, its only section's text the answer. ``hash``
    is of title and sections. ``url`` is where a visitor may read it; not every file
    has one. One that is ``pinned`` is told to the model with every question.

    ``problem`` says why it could not be learnt again: what is told is the last good
    copy. ``missing`` counts how often in a row it was not found any more. A store
    sets ``version``, that of the write that changed the content last, and
    ``changed_at``; ``is_forgotten`` is a tombstone, without content.
    """

    assistant: str
    key: str
    kind: DocumentKind
    title: str
    sections: Sequence[Section] = ()
    url: str | None = None
    language: str | None = None
    is_pinned: bool = False
    hash: str = ""
    learnt_at: int = 0
    problem: str | None = None
    missing: int = 0
    version: int = 0
    changed_at: int = 0
    is_forgotten: bool = False


def hash_of(title: str, sections: Sequence[Section]) -> str:
    """Return a document's ``hash``: another one when, and only when, what it says is another."""
    content = json.dumps([title, *sections], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Documents, and where the next ones begin; ``version`` is the assistant's at the read."""

    documents: Sequence[Document]
    version: int
    next_cursor: str | None = None


class Source(NamedTuple):
    """Where an answer was read: its number within the answer, and what it is called."""

    n: int
    title: str
    url: str | None = None

    def as_fields(self) -> dict[str, object]:
        """Return it as JSON has it everywhere: what is absent is left out."""
        fields: dict[str, object] = {"n": self.n, "title": self.title}
        return {**fields, "url": self.url} if self.url else fields


GapReason = Literal["nothing_found", "not_cited", "unknown", "disliked"]
AnsweredBy = Literal["owner", "unknown", "person"]


@dataclass(frozen=True, slots=True)
class Gap:
    """A question that the pages did not answer: a mark on a stored answer, and no copy of it."""

    message_id: str
    conversation_id: str
    question: str
    answer: str
    reason: GapReason
    created_at: int
    page_url: str | None = None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is looked for: a question, and what it may be understood by.

    ``before`` is the visitor's question before it; ``cited`` are the URLs that the
    answer to that named; ``page_url`` is where the visitor is.
    """

    question: str
    before: str | None = None
    cited: tuple[str, ...] = ()
    page_url: str | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that was found, with its neighbours where they belong to it.

    ``url`` leads to its heading. ``tokens`` is what it costs at least, by our own
    estimate. ``terms`` are the question's that stand in it; ``score`` orders passages
    of one finding, and means nothing beside that.
    """

    key: str
    title: str
    heading: str
    text: str
    tokens: int
    url: str | None = None
    score: float = 0.0
    terms: Sequence[str] = ()
    is_correction: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What an inquiry came to: passages, best first, within the owner's limit.

    ``owners_answer`` is a correction whose question is this very one: it is the answer,
    word for word, and stands first among the passages. ``has_content`` is false for small
    talk ("thanks!"), which neither finds nor misses anything. ``coverage`` is the share of
    the question's terms, by their weight, that the best passages have (0 to 1).
    ``is_ready`` is false while there is no index to look into.
    """

    passages: Sequence[Passage] = ()
    owners_answer: str | None = None
    has_content: bool = True
    coverage: float = 0.0
    version: int = 0
    duration_ms: float = 0.0
    is_ready: bool = True


@dataclass(frozen=True, slots=True)
class StoreState:
    """What every turn depends on, in one read: see ``ConversationStore.read_state``.

    ``switches`` are the names of those that are thrown; ``knowledge`` is the version of
    each assistant's documents, absent where it has none.
    """

    switches: frozenset[str] = frozenset()
    knowledge: Mapping[str, int] = field(default_factory=dict)


class Similarities(NamedTuple):
    """The passages nearest to a question by meaning, as their ids in an index file.

    A similarity is the cosine of two vectors. ``nearest`` is in order, nearest first;
    ``least`` and ``greatest`` are of all passages that have a vector, and ``share`` is how
    many of all that are (0 to 1).
    """

    nearest: Sequence[tuple[int, float]]
    least: float
    greatest: float
    share: float = 1.0
