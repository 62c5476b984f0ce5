"""The index: one immutable SQLite file of an assistant's passages and what finds them.

``words`` has the terms of passages, ``grams`` their second list, both without the
texts, which stand in ``passages``. A term is a run between spaces to FTS5: what a word
is, ``words.py`` alone decides. Equal documents make equal files.
"""

import hashlib
import json
import re
import sqlite3
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from app.domain.knowledge import Document
from app.knowledge.passages import Piece, cut_document
from app.knowledge.words import MAX_LANGUAGES, Words, guess_language, question_key

# Of the file: another one is built anew.
FORMAT = 2
# A piece of words that more passages have is not kept: finding looks for the rare ones, and
# would pass it over. Of English it is half of what all pieces take.
MAX_GRAM_PASSAGES = 1000
# `ascii` leaves every other character to the term; `_` joins identifiers.
_TOKENIZE = "tokenize=\"ascii tokenchars '_'\""
_SCHEMA = f"""
CREATE TABLE about (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, url TEXT, title TEXT NOT NULL,
    language TEXT, kind TEXT NOT NULL, is_pinned INTEGER NOT NULL
);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL, place INTEGER NOT NULL,
    anchor TEXT, heading TEXT NOT NULL, text BLOB NOT NULL, tokens INTEGER NOT NULL
);
CREATE INDEX passages_of ON passages (document);
CREATE INDEX documents_at ON documents (url);
CREATE INDEX pinned ON documents (id) WHERE is_pinned;
CREATE TABLE questions (key TEXT PRIMARY KEY, passage INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE common (
    name TEXT, term TEXT, passages INTEGER, PRIMARY KEY (name, term)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (
    title, heading, body, asked, content='', columnsize=1, {_TOKENIZE}
);
CREATE VIRTUAL TABLE grams USING fts5 (head, body, content='', columnsize=1, {_TOKENIZE});
CREATE VIRTUAL TABLE words_vocabulary USING fts5vocab (words, row);
CREATE VIRTUAL TABLE grams_vocabulary USING fts5vocab (grams, row);
"""
# The counts of frequent terms are kept: FTS5 counts a term's passages one by one.
_FINISH = (
    "INSERT INTO words (words) VALUES ('optimize')",
    "INSERT INTO grams (grams) VALUES ('optimize')",
    "INSERT INTO common SELECT 'words', term, doc FROM words_vocabulary WHERE doc >= 30",
    "INSERT INTO common SELECT 'grams', term, doc FROM grams_vocabulary WHERE doc >= 30",
)


def write_index(
    path: Path,
    documents: Iterable[Document],
    count_tokens: Callable[[str], int],
    *,
    assistant: str = "default",
    version: int = 0,
) -> None:
    """Write the index of documents to a new file; tombstones are passed over.

    ``count_tokens`` says what a text costs in a prompt at most.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        connection.executescript(_SCHEMA)
        connection.execute("BEGIN")
        writer = _Writer(connection, count_tokens)
        documents = _in_order(documents)
        # Each is cut twice: all pieces at once would be as much again as all texts.
        for document in documents:
            writer.count(document)
        for document in documents:
            writer.add(document)
        writer.finish({
            "format": FORMAT, "assistant": assistant, "version": version,
            "content": digest(documents),
        })  # fmt: skip
        connection.execute("COMMIT")
        connection.execute("VACUUM")


def digest(documents: Iterable[Document]) -> str:
    """Return what changes with anything that an index has of documents."""
    told = [
        [each.key, each.hash, each.kind, each.url, each.language, each.is_pinned]
        for each in _in_order(documents)
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _in_order(documents: Iterable[Document]) -> list[Document]:
    return sorted((each for each in documents if not each.is_forgotten), key=lambda each: each.key)


def pack(text: str) -> bytes:
    """Return a passage's text as the file has it."""
    return zlib.compress(text.encode(), 9)


def unpack(text: bytes) -> str:
    """Return a passage's text as it was."""
    return zlib.decompress(text).decode()


def _told(document: Document, piece: Piece) -> tuple[str, str]:
    """Return what stands above a passage, and what it says."""
    return " › ".join(filter(None, (document.title, piece.heading))), piece.text


class _Writer:
    def __init__(self, connection: sqlite3.Connection, count_tokens: Callable[[str], int]) -> None:
        self._execute = connection.execute
        self._count_tokens = count_tokens
        self._words: dict[str | None, Words] = {}
        self._languages: Counter[str] = Counter()
        self._grams: Counter[str] = Counter()
        self._documents = self._passages = self._tokens = 0

    def count(self, document: Document) -> None:
        """Take note of the pieces of words that a document's passages have; before any is added."""
        pieces, _, words = self._cut(document)
        for piece in pieces:
            head, text = _told(document, piece)
            self._grams.update({*words.grams(head), *words.grams(text)})

    def add(self, document: Document) -> None:
        pieces, language, words = self._cut(document)
        if not pieces:
            return
        if language:
            self._languages[language] += len(pieces)
        self._documents += 1
        self._execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self._documents, document.key, document.url, document.title, language,
             document.kind, document.is_pinned),
        )  # fmt: skip
        for piece in pieces:
            self._add_passage(document, piece, words)

    def _cut(self, document: Document) -> tuple[list[Piece], str | None, Words]:
        pieces = cut_document(document)
        language = re.split("[-_]", document.language or "")[0].casefold() or None
        language = language or guess_language(" ".join(piece.text for piece in pieces[:3]))
        words = self._words.setdefault(language, Words((language,) if language else ()))
        return pieces, language, words

    def _rare_grams(self, words: Words, text: str) -> str:
        grams = words.grams(text)
        return " ".join(gram for gram in grams if self._grams[gram] <= MAX_GRAM_PASSAGES)

    def _add_passage(self, document: Document, piece: Piece, words: Words) -> None:
        self._passages += 1
        at, is_answer = self._passages, document.kind == "correction"
        head, text = _told(document, piece)
        tokens = self._count_tokens(f"{head}\n{text}")
        self._tokens += tokens
        self._execute(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)",
            (at, self._documents, piece.place, piece.anchor, piece.heading,
             pack(text), tokens),
        )  # fmt: skip
        title, heading, body = (
            " ".join(words.terms(each)) for each in (document.title, piece.heading, text)
        )
        columns = ("", "", body, title) if is_answer else (title, heading, body, "")
        self._execute(
            "INSERT INTO words (rowid, title, heading, body, asked) VALUES (?, ?, ?, ?, ?)",
            (at, *columns),
        )
        self._execute(
            "INSERT INTO grams (rowid, head, body) VALUES (?, ?, ?)",
            (at, self._rare_grams(words, head), self._rare_grams(words, text)),
        )
        if is_answer:
            self._execute(
                "INSERT OR REPLACE INTO questions VALUES (?, ?)",
                (question_key(document.title), at),
            )

    def finish(self, about: dict[str, object]) -> None:
        for finish in _FINISH:
            self._execute(finish)
        for gram, passages in self._grams.items():
            if passages > MAX_GRAM_PASSAGES:
                self._execute("INSERT INTO common VALUES ('grams', ?, ?)", (gram, passages))
        most = sorted(self._languages.items(), key=lambda each: (-each[1], each[0]))
        about |= {
            "languages": " ".join(language for language, _ in most[:MAX_LANGUAGES]),
            "documents": self._documents,
            "passages": self._passages,
            "tokens": self._tokens,
        }
        for each in about.items():
            self._execute("INSERT INTO about VALUES (?, ?)", each)
