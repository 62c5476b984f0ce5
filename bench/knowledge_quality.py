"""What the knowledge bench measures of answers: which section is found, and how far up."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.domain.knowledge import Document, Inquiry
from app.knowledge import ranking
from app.knowledge.finding import NEAREST, Near, find, score
from app.knowledge.index import write_index
from app.knowledge.open_index import OpenIndex, open_index
from app.knowledge.selection import best_first
from bench.knowledge_peers import fts5_peers
from bench.knowledge_questions import Question
from bench.knowledge_vectors import Embedder, likeness

# An inquiry's order of passages, best first.
Finder = Callable[[Question], Sequence[int]]


@dataclass
class Corpus:
    """An index of documents, and for each passage the anchor of its section."""

    documents: list[Document]
    count_tokens: Callable[[str], int] = len
    index: OpenIndex = field(init=False)

    def __post_init__(self) -> None:
        path = Path(tempfile.mkdtemp(prefix="bench-")) / "bench-1.db"
        write_index(path, self.documents, self.count_tokens, version=1)
        self.index = open_index(path)
        self.rows = self.index.all_rows()
        self.anchors = {row.id: row.anchor for row in self.rows}

    def finders(self, embedder: Embedder | None) -> dict[str, Finder]:
        """Return our own ways and the peers', over the same passages."""
        index = self.index
        lists = {
            "words": lambda q: best_first(_list(index, "words", index.words.terms(q.text))),
            "grams": lambda q: best_first(_list(index, "grams", index.words.grams(q.text))),
            "Perch, words alone": lambda q: best_first(score(index, _inquiry(q), ())),
        }
        found: dict[str, Finder] = {**fts5_peers(self.rows), **lists}
        if embedder:
            nearest = self.nearest(embedder)
            found["vectors alone"] = lambda q: [at for at, _ in nearest(q.text, 40)]
            found["reciprocal ranks of both"] = lambda q: _fused(
                found["Perch, words alone"](q), found["vectors alone"](q)
            )
            found["Perch, with vectors"] = lambda q: best_first(
                score(index, _inquiry(q), nearest(q.text, NEAREST))
            )
        return found

    def nearest(self, embedder: Embedder) -> Callable[[str, int], Near]:
        """Return what finds by meaning, as the sidecar does, over vectors that are kept."""
        vectors = embedder.passages([_told(row) for row in self.rows])

        def look_up(question: str, most: int) -> Near:
            asked = embedder.query(question)
            near = [
                (row.id, likeness(asked, each))
                for row, each in zip(self.rows, vectors, strict=True)
            ]
            return sorted(near, key=lambda each: (-each[1], each[0]))[:most]

        return look_up

    def ranks(self, finder: Finder, questions: Sequence[Question]) -> list[int | None]:
        """Return at which place among sections the right one stands, from 1."""
        return [self._rank(finder(question), question.gold) for question in questions]

    def told(self, questions: Sequence[Question], max_tokens: int = 1500) -> float:
        """Return the share of questions whose section is among what the model would be told."""
        hits = 0
        for question in questions:
            found = find(self.index, _inquiry(question), max_tokens)
            urls = {(passage.url or "").partition("#")[2] for passage in found.passages}
            hits += bool(urls & set(question.gold))
        return hits / len(questions)

    def _rank(self, order: Sequence[int], gold: Sequence[str]) -> int | None:
        sections = list(dict.fromkeys(self.anchors[at] for at in order))
        return next((at for at, each in enumerate(sections, 1) if each in gold), None)


def summarize(ranks: Sequence[int | None]) -> dict[str, float]:
    """Return recall at 1 and 5 and MRR at 10, of all and of the half that chose no weights."""
    judged = ranks[1::2]
    return {
        "recall1": _recall(ranks, 1),
        "recall5": _recall(ranks, 5),
        "mrr": sum(1 / rank for rank in ranks if rank and rank <= 10) / len(ranks),
        "judgedRecall1": _recall(judged, 1),
        "judgedRecall5": _recall(judged, 5),
    }


def auroc(right: Sequence[float], wrong: Sequence[float]) -> float:
    """Return how often an answerable question scores above an unanswerable one."""
    above = sum((a > b) + 0.5 * (a == b) for a in right for b in wrong)
    return above / (len(right) * len(wrong))


def _recall(ranks: Sequence[int | None], most: int) -> float:
    return sum(rank is not None and rank <= most for rank in ranks) / len(ranks)


def _inquiry(question: Question) -> Inquiry:
    return Inquiry(question.text, before=question.before)


def _list(index: OpenIndex, table: str, terms: Sequence[str]) -> dict[int, float]:
    counts = ranking.frequencies(index.connection, table, terms)
    return ranking.rank(index.connection, table, ranking.prune(counts, table))


def _told(row: Any) -> str:
    head = " › ".join(filter(None, (row.title, row.heading)))
    return "\n".join(filter(None, (head, row.text)))


def _fused(*orders: Sequence[int]) -> list[int]:
    scores: dict[int, float] = {}
    for order in orders:
        for place, at in enumerate(order, 1):
            scores[at] = scores.get(at, 0.0) + 1 / (60 + place)
    return best_first(scores)
