"""Find the passages that may answer a question: one function for chat, dashboard and command."""

import time
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from math import log

from app.domain.knowledge import Found, Inquiry
from app.knowledge import ranking
from app.knowledge.open_index import OpenIndex, Row
from app.knowledge.selection import best_first, fit, join, select
from app.knowledge.small_talk import small_talk
from app.knowledge.words import question_key

Near = Sequence[tuple[int, float]]
"""Passages nearest to a question by meaning: their ids and similarities, nearest first."""

NEAREST = 32
# Of a longer question, its beginning and its end: what each word costs is paid for in
# Python's lock, for which all streams wait.
MAX_ASKED_CHARS = 1000
# Beside the best passage, which scores 1: what the question before found, and what was
# cited in the answer to it.
_BEFORE = 0.5
_CITED = 0.3
_PAGE = 1.25
_PINNED_SHARE = 1 / 3
# The share of two questions' terms, by weight, at which a correction goes before all else.
_NEAR = 0.5
# Coverage is that of so many passages, the best ones.
_COVERING = 3


def find(index: OpenIndex, inquiry: Inquiry, max_tokens: int, near: Near = ()) -> Found:
    """Return what an index says to an inquiry, with passages of ``max_tokens`` at most.

    ``near`` are passages of this very index.
    """
    began = time.perf_counter()
    before = inquiry.before and _shorten(inquiry.before)
    inquiry = replace(inquiry, question=_shorten(inquiry.question), before=before)
    found = _find(index, inquiry, max_tokens, near)
    duration_ms = (time.perf_counter() - began) * 1000
    return replace(found, version=index.version, duration_ms=round(duration_ms, 3))


def score(index: OpenIndex, inquiry: Inquiry, near: Near) -> dict[int, float]:
    """Return the passages that come into question, the best of them at some 1.

    What the question before it found counts half, and is found by itself: both questions
    in one find less than either.
    """
    scores = _match(index, inquiry.question, near)
    before = ranking.match(index, inquiry.before) if inquiry.before else {}
    for at, value in before.items():
        scores[at] = scores.get(at, 0.0) + _BEFORE * value
    scores = ranking.with_neighbours(index, scores)
    for at in _cited(index, inquiry.cited):
        scores[at] = scores.get(at, 0.0) + _CITED
    here = set(index.at_urls(_pages(inquiry.page_url))) if inquiry.page_url and scores else set()
    if here:
        for at, document in index.documents_of(scores).items():
            if document in here:
                scores[at] *= _PAGE
    return scores


def _shorten(question: str) -> str:
    if len(question) <= MAX_ASKED_CHARS:
        return question
    half = MAX_ASKED_CHARS // 2
    return f"{question[:half]} {question[-half:]}"


def _find(index: OpenIndex, inquiry: Inquiry, max_tokens: int, near: Near) -> Found:
    answer = index.answer_to(question_key(inquiry.question))
    if answer is not None:
        rows = list(index.rows([answer]).values())
        return Found(join(rows, {answer: 1.0}, {}), owners_answer=rows[0].text, coverage=1.0)
    talk = small_talk(inquiry.question, index.words.languages)
    terms = list(dict.fromkeys(index.words.terms(inquiry.question)))
    room = int(max_tokens * _PINNED_SHARE)
    pinned = fit(index.rows_of(index.pinned(), limit=room), room)
    if talk == "greeting" or not (inquiry.before or (terms and not talk)):
        return Found(join(pinned, {}, {}), has_content=False)
    if talk:
        inquiry = replace(inquiry, question="")
    scores = score(index, inquiry, near)
    counts = ranking.frequencies(index.connection, "words", terms)
    weights = _weights(terms, counts, index.passages)
    order = _nearest_correction_first(index, best_first(scores), weights)
    if index.tokens <= max_tokens:
        rows = _all(index, order)
    else:
        rows = select(index, order, max_tokens - sum(row.tokens for row in pinned))
        taken = {row.id for row in rows}
        rows += [row for row in pinned if row.id not in taken]
    standing = ranking.standing(index.connection, "words", counts, [row.id for row in rows])
    return Found(
        join(rows, scores, standing),
        has_content=talk is None,
        coverage=_coverage(weights, [standing[row.id] for row in rows[:_COVERING]]),
    )


def _match(index: OpenIndex, question: str, near: Near) -> dict[int, float]:
    words = ranking.match(index, question)
    return ranking.mix(words, near) if near and question else words


def _cited(index: OpenIndex, urls: Sequence[str]) -> Iterable[int]:
    """Return the passages that links lead to: at its heading, else the document's first."""
    for url in urls:
        yield from index.passages_at(url)


def _pages(url: str) -> list[str]:
    bare = url.partition("#")[0]
    return [bare, bare.partition("?")[0]]


def _all(index: OpenIndex, order: Sequence[int]) -> list[Row]:
    """Return the whole library, what was found first."""
    place = {at: number for number, at in enumerate(order)}
    return sorted(index.all_rows(), key=lambda row: (place.get(row.id, len(place)), row.id))


def _nearest_correction_first(
    index: OpenIndex, order: list[int], weights: Mapping[str, float]
) -> list[int]:
    near = {at: _likeness(index, title, weights) for at, title in index.corrections(order)}
    best = max(order, key=lambda at: near.get(at, 0.0), default=None)
    if best is None or near.get(best, 0.0) < _NEAR:
        return order
    return [best, *(at for at in order if at != best)]


def _likeness(index: OpenIndex, question: str, weights: Mapping[str, float]) -> float:
    """Return the share of two questions' terms that both have, each by its weight."""
    other = set(index.words.terms(question))
    counts = ranking.frequencies(index.connection, "words", other)
    both = {**_weights(other, counts, index.passages), **weights}
    return sum(both[each] for each in other & weights.keys()) / (sum(both.values()) or 1.0)


def _weights(terms: Iterable[str], counts: Mapping[str, int], passages: int) -> dict[str, float]:
    """Return how much each term says: the rarer the more, most where no passage has it."""
    return {term: log(1 + passages / (counts.get(term, 0) + 0.5)) for term in terms}


def _coverage(weights: Mapping[str, float], standing: Sequence[Set[str]]) -> float:
    covered = set[str]().union(*standing)
    whole = sum(weights.values())
    return round(sum(weights[term] for term in covered) / whole, 4) if whole else 0.0
