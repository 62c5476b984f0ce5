"""Passages in the order of how well they match terms: two lists of FTS5 become one."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence, Set

from app.knowledge.index import MAX_GRAM_PASSAGES
from app.knowledge.open_index import OpenIndex

MAX_CANDIDATES = 40
# What a list costs is the passages that its terms stand in, all counted, for each is
# scored: some microsecond each. Terms are taken rarest first up to so many, and so many terms.
MAX_SCORED = {"words": 5000, "grams": 2000}
MAX_TERMS = {"words": 12, "grams": 32}
_KEPT_MATCHES = 32
# Weights of title, heading, body and the question that a correction answers; and of title
# and heading together, and body.
_RANK = {
    "words": "SELECT rowid, -rank FROM words WHERE words MATCH ?"
    " AND rank MATCH 'bm25(4.0, 3.0, 1.0, 4.0)' ORDER BY rank LIMIT ?",
    "grams": "SELECT rowid, -rank FROM grams WHERE grams MATCH ?"
    " AND rank MATCH 'bm25(3.0, 1.0)' ORDER BY rank LIMIT ?",
}
_COUNT = {
    "words": "SELECT doc FROM words_vocabulary WHERE term = ?",
    "grams": "SELECT doc FROM grams_vocabulary WHERE term = ?",
}
_STANDING = {
    "words": "SELECT rowid FROM words WHERE words MATCH ?"
    " AND rowid IN (SELECT value FROM json_each(?))",
    "grams": "SELECT rowid FROM grams WHERE grams MATCH ?"
    " AND rowid IN (SELECT value FROM json_each(?))",
}
# Of a text's pieces, where it shares no word with a passage: fewer are there by chance.
LEAST_SHARE = 0.5
# How much the second list counts, and a passage's better neighbour, and vectors beside words:
# chosen by `python -m bench.knowledge`, on half of its questions.
GRAMS = 0.3
NEIGHBOUR = 0.15
VECTORS = 0.6


def frequencies(connection: sqlite3.Connection, table: str, terms: Iterable[str]) -> dict[str, int]:
    """Return in how many passages each term stands, without those that stand in none."""
    kept = "SELECT passages FROM common WHERE name = ? AND term = ?"
    found: dict[str, int] = {}
    for term in dict.fromkeys(terms):
        row = (
            connection.execute(kept, (table, term)).fetchone()
            or connection.execute(_COUNT[table], (term,)).fetchone()
        )
        if row:
            found[term] = row[0]
    return found


def prune(counts: Mapping[str, int], table: str) -> list[str]:
    """Return the terms to look for, rarest first; of words the rarest, whatever it costs."""
    taken: list[str] = []
    left = MAX_SCORED[table]
    for term in sorted(counts, key=lambda term: (counts[term], term))[: MAX_TERMS[table]]:
        left -= counts[term]
        if left < 0 and (taken or table == "grams"):
            break
        taken.append(term)
    return taken


def rank(connection: sqlite3.Connection, table: str, terms: Sequence[str]) -> dict[int, float]:
    """Return the passages that match any of the terms best, with their BM25."""
    if not terms:
        return {}
    return dict(connection.execute(_RANK[table], (_any(terms), MAX_CANDIDATES)).fetchall())


def match(index: OpenIndex, text: str) -> dict[int, float]:
    """Return the passages whose words or pieces of words match a text, the best scoring 1.

    The last texts are remembered: a question that follows another is looked up before and
    after that is known, and then with the one before it.
    """
    found = index.matches.pop(text, None)
    if found is None:
        found = _match(index, text)
    index.matches[text] = found
    if len(index.matches) > _KEPT_MATCHES:
        index.matches.popitem(last=False)
    return dict(found)


def _match(index: OpenIndex, text: str) -> Mapping[int, float]:
    """Return what both lists have.

    BM25 of both lists is added up as it is: that of four letters in a row then weighs as
    much as the text has of them, which is nothing where it is Chinese.
    """
    counts = frequencies(index.connection, "words", index.words.terms(text))
    words = rank(index.connection, "words", prune(counts, "words"))
    grams = index.words.grams(text)
    counts = frequencies(index.connection, "grams", grams)
    pieces = rank(index.connection, "grams", prune(counts, "grams"))
    if not words:
        asked = {gram for gram in grams if counts.get(gram, 0) <= MAX_GRAM_PASSAGES}
        pieces = _without_chance(index, asked, pieces)
    return _scaled(_sum(words, pieces))


def _sum(words: Mapping[int, float], pieces: Mapping[int, float]) -> dict[int, float]:
    no_word, no_piece = _least(words), _least(pieces)
    return {
        at: words.get(at, no_word) + GRAMS * pieces.get(at, no_piece) for at in {**words, **pieces}
    }


def _least(scores: Mapping[int, float]) -> float:
    """Return what is assumed of a passage that is not in a list: a full list ended before it."""
    return min(scores.values()) / 2 if len(scores) == MAX_CANDIDATES else 0.0


def _without_chance(
    index: OpenIndex, asked: Set[str], scores: Mapping[int, float]
) -> dict[int, float]:
    """Leave out what shares no word with a text, and few of its words' rarer pieces."""
    found = standing(index.connection, "grams", asked, list(scores))
    kept = (at for at, there in found.items() if len(there) >= LEAST_SHARE * len(asked))
    return {at: scores[at] for at in kept}


def with_neighbours(index: OpenIndex, scores: Mapping[int, float]) -> dict[int, float]:
    """Return scores raised by those of the passages before and after in the same document."""
    document = index.documents_of(scores)
    return {
        at: value
        + NEIGHBOUR
        * max(
            scores.get(by, 0.0) if document.get(by) == document[at] else 0.0
            for by in (at - 1, at + 1)
        )
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
    connection: sqlite3.Connection, table: str, terms: Iterable[str], passages: Sequence[int]
) -> dict[int, set[str]]:
    """Return which of the terms stand in each of the passages."""
    found: dict[int, set[str]] = {at: set() for at in passages}
    asked = json.dumps(list(passages))
    for term in terms:
        for (at,) in connection.execute(_STANDING[table], (_any([term]), asked)):
            found[at].add(term)
    return found


def _any(terms: Iterable[str]) -> str:
    return " OR ".join(f'"{term}"' for term in terms)


def _scaled(scores: Mapping[int, float]) -> dict[int, float]:
    most = max(scores.values(), default=0.0) or 1.0
    return {at: value / most for at, value in scores.items()}
