"""What tests of vectors are built from: index files, and a model that knows a few words."""

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from app.knowledge.index import pack
from app.knowledge.vectors.embedding import EmbeddingFailed, Vectors

WORDS = ("return", "open", "ship", "password")
_SCHEMA = """
CREATE TABLE documents(id INTEGER PRIMARY KEY, key TEXT, url TEXT, title TEXT);
CREATE TABLE passages(
    id INTEGER PRIMARY KEY, document INT, place INT, anchor TEXT, heading TEXT, text BLOB,
    tokens INT
);
INSERT INTO documents VALUES (1, 'file:shop', NULL, 'Shop');
"""


def write_index(folder: Path, texts: Sequence[str], name: str = "default-1.db") -> Path:
    """Write an index file whose passages are ``texts``, with ids from 1."""
    path = folder / name
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_SCHEMA}")
        rows = [(number, pack(text)) for number, text in enumerate(texts, 1)]
        db.executemany("INSERT INTO passages VALUES (?, 1, 0, NULL, 'Help', ?, 1)", rows)
    return path


class WordEmbedder:
    """One dimension for each word of ``WORDS``, and one for all that has none of them."""

    name = "words"
    parallel = 1

    def __init__(self, batch: int = 1) -> None:
        self.batch = batch
        self.embedded: list[str] = []
        self.failure: str | None = None
        self.refused_word: str | None = None
        self.go_on = threading.Event()
        self.go_on.set()

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if self.failure:
            raise EmbeddingFailed(self.failure)
        if self.refused_word and any(self.refused_word in text for text in texts):
            raise EmbeddingFailed("status 400")
        self.embedded += texts
        return np.stack([self._vector(text) for text in texts])

    def embed_question(self, text: str) -> Vectors:
        self.go_on.wait(10)
        if self.failure:
            raise EmbeddingFailed(self.failure)
        return self._vector(text)

    def _vector(self, text: str) -> Vectors:
        found = [float(word in text.lower()) for word in WORDS]
        vector = np.array([*found, 0.1], dtype=np.float32)
        unit: Vectors = vector / np.linalg.norm(vector)
        return unit
