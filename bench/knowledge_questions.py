"""Question sets of the knowledge bench: what is asked, and which section answers it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from app.domain.knowledge import Document
from bench.knowledge_corpora import faq

DATA = Path(__file__).parent / "knowledge_data"


class Question(NamedTuple):
    """A question, and the anchors of the sections that answer it: any of them will do."""

    text: str
    gold: tuple[str, ...]
    before: str | None = None


def heading_questions(language: str) -> list[Question]:
    """Return Q1: the FAQ's headings that are questions, in English at least."""
    asked = {
        section.anchor
        for document in faq("en")
        for section in document.sections
        if section.heading.endswith("?")
    }
    return [
        Question(section.heading.split(" › ")[-1], (section.anchor or "",))
        for document in faq(language)
        for section in document.sections
        if section.anchor in asked and section.heading
    ]


def without_headings(documents: list[Document]) -> list[Document]:
    """Return documents whose headings and titles nothing is found by."""
    return [
        replace(each, title="", sections=[s._replace(heading="") for s in each.sections])
        for each in documents
    ]


def written_questions(name: str) -> list[Question]:
    """Return questions written by hand: Q2 (paraphrases), Q5 (follow-ups), Q6 (identifiers)."""
    lines = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return [Question(each["q"], tuple(each["gold"]), each.get("before")) for each in lines]
