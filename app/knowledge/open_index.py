"""An index file that is open for finding."""

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from app.knowledge.index import FORMAT, unpack
from app.knowledge.words import Words

_COLUMNS = """
SELECT p.id, p.document, p.place, p.anchor, p.heading, p.text, p.tokens,
       d.key, d.url, d.title, d.kind = 'correction'
FROM passages p JOIN documents d ON d.id = p.document
"""


class Row(NamedTuple):
    """A passage of the file, with what is known of its document."""

    id: int
    document: int
    place: int
    anchor: str | None
    heading: str
    packed: bytes
    tokens: int
    key: str
    url: str | None
    title: str
    is_correction: bool

    @property
    def text(self) -> str:
        """What it says: unpacked here, for most candidates are not told."""
        return unpack(self.packed)

    @property
    def link(self) -> str | None:
        """Where the passage's heading is, if a visitor may read it."""
        if self.url is None or not self.anchor:
            return self.url
        return f"{self.url.partition('#')[0]}#{self.anchor}"


@dataclass(frozen=True, slots=True)
class OpenIndex:
    """A connection to an index, which never changes, and the facts that it begins with.

    ``content`` is the ``digest`` of its documents, ``matches`` what was found by the texts
    that were looked up last. For one thread at a time.
    """

    connection: sqlite3.Connection
    path: Path
    words: Words
    version: int
    passages: int
    tokens: int
    content: str | None = None
    matches: OrderedDict[str, Mapping[int, float]] = field(default_factory=OrderedDict)

    def rows(self, ids: Iterable[int]) -> Mapping[int, Row]:
        """Return passages by their ids."""
        found = self._read("WHERE p.id IN (SELECT value FROM json_each(?))", ids)
        return {row.id: row for row in found}

    def rows_of(self, documents: Iterable[int], *, limit: int) -> list[Row]:
        """Return the first passages of documents, in their order."""
        find = "WHERE p.document IN (SELECT value FROM json_each(?))"
        return self._read(find, documents, limit)

    def passages_at(self, url: str) -> list[int]:
        """Return the passage that an address leads to: at its heading, else the first there."""
        found = self._look_up(
            "SELECT id FROM passages WHERE document IN (SELECT value FROM json_each(?))"
            " ORDER BY anchor IS NOT nullif(?, ''), id LIMIT 1",
            self.at_urls([url]), url.partition("#")[2],
        )  # fmt: skip
        return [row[0] for row in found]

    def all_rows(self) -> list[Row]:
        """Return every passage, in order."""
        return self._read("WHERE ? = '[]'", ())

    def documents_of(self, ids: Iterable[int]) -> Mapping[int, int]:
        """Return the documents of passages by the passages' ids."""
        return dict(self._look_up(
            "SELECT id, document FROM passages WHERE id IN (SELECT value FROM json_each(?))", ids
        ))  # fmt: skip

    def pinned(self) -> list[int]:
        """Return the documents that are told with every question."""
        found = self.connection.execute("SELECT id FROM documents WHERE is_pinned")
        return [row[0] for row in found]

    def at_urls(self, urls: Iterable[str]) -> list[int]:
        """Return the documents of addresses, whatever follows ``#`` and a slash at the end."""
        bare = [url.partition("#")[0].rstrip("/") for url in urls]
        asked = [form for url in bare for form in (url, f"{url}/")]
        find = "SELECT id FROM documents WHERE url IN (SELECT value FROM json_each(?)) ORDER BY id"
        return [row[0] for row in self._look_up(find, asked)]

    def answer_to(self, key: str) -> int | None:
        """Return the passage of the correction to a question, by its ``question_key``."""
        find = "SELECT passage FROM questions WHERE key = ?"
        row = self.connection.execute(find, (key,)).fetchone()
        return row[0] if row else None

    def corrections(self, ids: Iterable[int]) -> list[tuple[int, str]]:
        """Return those of the passages that are corrections, with the questions they answer."""
        return self._look_up(
            "SELECT p.id, d.title FROM passages p JOIN documents d ON d.id = p.document "
            "WHERE d.kind = 'correction' AND p.id IN (SELECT value FROM json_each(?))",
            ids,
        )

    def _read(self, where: str, asked: Iterable[int], limit: int = -1) -> list[Row]:
        found = self._look_up(f"{_COLUMNS} {where} ORDER BY p.id LIMIT ?", asked, limit)
        return [Row._make([*row, bool(is_correction)]) for *row, is_correction in found]

    def _look_up(
        self, find: str, asked: Iterable[int] | Iterable[str], *more: int | str
    ) -> list[Any]:
        return self.connection.execute(find, (json.dumps(list(asked)), *more)).fetchall()


def open_index(path: Path) -> OpenIndex:
    """Open an index file for reading.

    Raises:
        sqlite3.DatabaseError: it is none, or damaged, or of another format.
    """
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
    try:
        about = dict(connection.execute("SELECT name, value FROM about"))
        if about.get("format") != FORMAT:
            raise sqlite3.DatabaseError(f"{path.name} is of format {about.get('format')}")
        return OpenIndex(
            connection, path, Words(about["languages"].split()), about["version"],
            about["passages"], about["tokens"], about.get("content"),
        )  # fmt: skip
    except BaseException:
        connection.close()
        raise
