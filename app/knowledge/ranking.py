"""Passages in the order of how well they match terms: two lists of FTS5 become one."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from app.knowledge.open_index import OpenIndex

MAX_CANDIDATES = 40
# A term that more of the passages have says little; the rest are taken rarest first.
MAX_SHARE = 0.2
MAX_TERMS = 10
MAX_GRAMS = 24
LEAST_TERMS = 2
# Of title, heading, body and the question that a correction answers.
_WORD_WEIGHTS = "4.0, 3.0, 1.0, 4.0"
# Of title and heading together, and of the body.
_GRAM_WEIGHTS = "3.0, 1.0"
_RANK = {
    table: f"SELECT rowid, -rank FROM {table} WHERE {table} MATCH ?"
    f" AND rank MATCH 'bm25({weights})' ORDER BY rank LIMIT {MAX_CANDIDATES}"
    for table, weights in (("words", _WORD_WEIGHTS), ("grams", _GRAM_WEIGHTS))
}
# How much the second list counts, and a passage's better neighbour, and vectors beside words:
# chosen by `python -m bench.knowledge`, on half of its questions.
GRAMS = 0.3
NEIGHBOUR = 0.3
VECTORS = 0.7


def frequencies(connection: sqlite3.Connection, table: str, terms: Iterable[str]) -> dict[str, int]:
    """Return in how many passages each term stands, without those that stand in none."""
    find = f"SELECT doc FROM {table}_vocabulary WHERE term = ?"
    found = ((term, connection.execute(find, (term,)).fetchone()) for term in dict.fromkeys(terms))
    return {term: row[0] for term, row in found if row}


def prune(counts: Mapping[str, int], passages: int, most: int) -> list[str]:
    """Return the terms to look for, rarest first."""
    rarest = sorted(counts, key=lambda term: (counts[term], term))
    few = [term for term in rarest if counts[term] <= passages * MAX_SHARE]
    return (few if len(few) >= LEAST_TERMS else rarest[:LEAST_TERMS])[:most]


def rank(connection: sqlite3.Connection, table: str, terms: Sequence[str]) -> dict[int, float]:
    """Return the passages that match any of the terms best, with their BM25."""
    if not terms:
        return {}
    return dict(connection.execute(_RANK[table], (_any(terms),)).fetchall())


def match(index: OpenIndex, text: str) -> dict[int, float]:
    """Return the passages whose words or pieces of words match a text, the best scoring 1.

    BM25 of both lists is added up as it is: that of four letters in a row then weighs as
    much as the text has of them, which is nothing where it is Chinese.
    """
    scores: Counter[int] = Counter()
    for table, terms, most, weight in (
        ("words", index.words.terms(text), MAX_TERMS, 1.0),
        ("grams", index.words.grams(text), MAX_GRAMS, GRAMS),
    ):
        counts = frequencies(index.connection, table, terms)
        best = rank(index.connection, table, prune(counts, index.passages, most))
        # What fell off the end of a full list scored at most as its last.
        least = min(best.values()) / 2 if len(best) == MAX_CANDIDATES else 0.0
        fallen = scores.keys() - best.keys()
        scores.update({at: weight * value for at, value in best.items()})
        scores.update(dict.fromkeys(fallen, weight * least))
    return _scaled(with_neighbours(index, scores))


def with_neighbours(index: OpenIndex, scores: Mapping[int, float]) -> dict[int, float]:
    """Return scores raised by those of the passages before and after in the same document."""
    document = index.documents_of(scores)
    return {
        at: value
        + NEIGHBOUR
        * max(scores.get(by, 0.0) if document.get(by) == document[at] else 0.0 for by in (at - 1, at + 1))
        for at, value in scores.items()
    }


def mix(words: Mapping[int, float], nearest: Sequence[tuple[int, float]]) -> dict[int, float]:
    """Return scores of words and vectors in one: a convex combination, each from 0 to 1.

    Of vectors only the nearest are known: the last of them counts nothing.
    """
    if not nearest:
        return dict(words)
    most, least = nearest[0][1], nearest[-1][1]
    near = {at: (value - least) / ((most - least) or 1) for at, value in nearest}
    return {
        at: VECTORS * near.get(at, 0.0) + (1 - VECTORS) * words.get(at, 0.0)
        for at in {**words, **near}
    }


def standing(
    connection: sqlite3.Connection, terms: Iterable[str], passages: Sequence[int]
) -> dict[int, set[str]]:
    """Return which of the terms stand in each of the passages."""
    found: dict[int, set[str]] = {at: set() for at in passages}
    marks = ", ".join("?" * len(passages))
    find = f"SELECT rowid FROM words WHERE words MATCH ? AND rowid IN ({marks})"
    for term in terms:
        for (at,) in connection.execute(find, (_any([term]), *passages)):
            found[at].add(term)
    return found


def _any(terms: Iterable[str]) -> str:
    return " OR ".join(f'"{term}"' for term in terms)


def _scaled(scores: Mapping[int, float]) -> dict[int, float]:
    most = max(scores.values(), default=0.0) or 1.0
    return {at: value / most for at, value in scores.items()}
