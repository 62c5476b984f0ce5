"""What else could find: the tokenizers that come with SQLite's FTS5, and bm25s where it is."""

import importlib.util
import re
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from app.knowledge.open_index import Row
from bench.knowledge_questions import Question

_MOST = 40


def fts5_peers(rows: Sequence[Row]) -> dict[str, Callable[[Question], Sequence[int]]]:
    """Return finders over the same passages, each with all of a question's words."""
    peers: dict[str, Callable[[Question], Sequence[int]]] = {
        "FTS5 porter": _fts5(rows, "porter unicode61", r"\w+"),
        "FTS5 unicode61": _fts5(rows, "unicode61", r"\w+"),
        "FTS5 trigram": _fts5(rows, "trigram", r"(?=(\w\w\w))"),
    }
    if importlib.util.find_spec("bm25s"):
        peers["bm25s, English stopwords"] = _bm25s(rows)
    return peers


def _fts5(rows: Sequence[Row], tokenizer: str, piece: str) -> Callable[[Question], Sequence[int]]:
    connection = sqlite3.connect(":memory:")
    connection.execute(
        f"CREATE VIRTUAL TABLE t USING fts5 (title, heading, text, tokenize='{tokenizer}')"
    )
    connection.executemany(
        "INSERT INTO t (rowid, title, heading, text) VALUES (?, ?, ?, ?)",
        [(row.id, row.title, row.heading, row.text) for row in rows],
    )

    def look_up(question: Question) -> Sequence[int]:
        pieces = dict.fromkeys(re.findall(piece, question.text.casefold()))
        query = " OR ".join(f'"{each}"' for each in pieces)
        find = (
            "SELECT rowid FROM t WHERE t MATCH ? AND rank MATCH 'bm25(4.0, 3.0, 1.0)' "
            "ORDER BY rank LIMIT ?"
        )
        return [at for (at,) in connection.execute(find, (query, _MOST))] if query else []

    return look_up


def _bm25s(rows: Sequence[Row]) -> Callable[[Question], Sequence[int]]:
    bm25s: Any = importlib.import_module("bm25s")
    texts = [f"{row.title} {row.heading} {row.text}" for row in rows]
    model = bm25s.BM25()
    model.index(bm25s.tokenize(texts, stopwords="en", show_progress=False), show_progress=False)

    def look_up(question: Question) -> Sequence[int]:
        asked = bm25s.tokenize([question.text], stopwords="en", show_progress=False)
        found, scores = model.retrieve(asked, k=min(_MOST, len(rows)), show_progress=False)
        return [rows[at].id for at, value in zip(found[0], scores[0], strict=True) if value > 0]

    return look_up
