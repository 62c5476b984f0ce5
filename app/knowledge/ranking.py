"""Passages in the order of how well they match terms: two lists of FTS5 become one."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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
Scores = Mapping[int, float]


def frequencies(
    connection: sqlite3.Connection, table: str, terms: Iterable[str]
) -> dict[str, int]:
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
    """Return the passages that match any term best, with their BM25."""
    if not terms:
        return {}
    query = " OR ".join(f'"{term}"' for term in terms)
    return dict(connection.execute(_RANK[table], (query,)).fetchall())
