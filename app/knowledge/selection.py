"""From scored passages to those that are told, within a budget of tokens."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set

from app.domain.knowledge import Passage
from app.knowledge.index import pack
from app.knowledge.open_index import OpenIndex, Row

MAX_A_DOCUMENT = 3


def best_first(scores: Mapping[int, float]) -> list[int]:
    """Return passages by their scores, those of the same in the order of the file."""
    return sorted(scores, key=lambda at: (-scores[at], at))


def select(index: OpenIndex, order: Sequence[int], max_tokens: int) -> list[Row]:
    """Return the best passages, and what follows the very best under its heading.

    Of one document at most ``MAX_A_DOCUMENT``. One that does not fit is passed over, and
    cut only where it is the first.
    """
    first = list(order[:1])
    rows = index.rows([*order, *(at + 1 for at in first)])
    follower = rows.get(first[0] + 1) if first else None
    if follower and not _is_next(rows[first[0]], follower):
        follower = None
    taken: list[Row] = []
    left, of_document = max_tokens, Counter[int]()
    for at in dict.fromkeys([*first, *([follower.id] if follower else ()), *order[1:]]):
        row = rows[at]
        if of_document[row.document] == MAX_A_DOCUMENT:
            continue
        if row.tokens > left:
            if taken or left <= 0:
                continue
            row = _cut(row, left)
        taken.append(row)
        left -= row.tokens
        of_document[row.document] += 1
    return taken


def fit(rows: Iterable[Row], max_tokens: int) -> list[Row]:
    """Return the rows from the first on that a budget holds."""
    taken: list[Row] = []
    for row in rows:
        max_tokens -= row.tokens
        if max_tokens < 0:
            break
        taken.append(row)
    return taken


def join(
    rows: Sequence[Row], scores: Mapping[int, float], standing: Mapping[int, Set[str]]
) -> list[Passage]:
    """Return rows as passages in their order; neighbours under one heading become one."""
    by_id = {row.id: row for row in rows}
    passages: list[Passage] = []
    for row in rows:
        if row.id not in by_id:
            continue
        run = [by_id.pop(row.id)]
        while (before := by_id.get(run[0].id - 1)) and _is_next(before, run[0]):
            run.insert(0, by_id.pop(before.id))
        while (after := by_id.get(run[-1].id + 1)) and _is_next(run[-1], after):
            run.append(by_id.pop(after.id))
        terms = {term for each in run for term in standing.get(each.id, ())}
        passages.append(_to_passage(run, scores.get(row.id, 0.0), sorted(terms)))
    return passages


def _to_passage(run: Sequence[Row], score: float, terms: Sequence[str]) -> Passage:
    first = run[0]
    return Passage(
        key=first.key, title=first.title, heading=first.heading, url=first.link,
        text="\n\n".join(row.text for row in run), tokens=sum(row.tokens for row in run),
        score=round(score, 4), terms=terms, is_correction=first.is_correction,
    )  # fmt: skip


def _is_next(row: Row, after: Row) -> bool:
    return row[1] == after[1] and (row.anchor, row.heading) == (after.anchor, after.heading)


def _cut(row: Row, tokens: int) -> Row:
    text = row.text[: len(row.text) * tokens // row.tokens]
    return row._replace(packed=pack(text.rpartition(" ")[0] or text), tokens=tokens)
