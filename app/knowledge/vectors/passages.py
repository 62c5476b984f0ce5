"""What of an index file is embedded."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from app.knowledge.index import unpack

_PASSAGES = """
    SELECT passages.id, documents.title, passages.heading, passages.text
    FROM passages JOIN documents ON documents.id = passages.document
"""


def read_passages(path: Path, ids: list[int] | None = None) -> Iterator[tuple[int, str]]:
    """Yield passages, or those of some ids, below their document's title and headings."""
    where = f" WHERE passages.id IN ({','.join('?' * len(ids))})" if ids else ""
    # Immutable: an index file is never written again, and SQLite need not lock it.
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as db:
        for passage, title, heading, text in db.execute(_PASSAGES + where, ids or ()):
            yield passage, f"{' › '.join(filter(None, (title, heading)))}\n{unpack(text)}"
