"""A document cut into passages: small enough to be found by, whole enough to be read."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from app.domain.knowledge import Document

GOAL_CHARS = 1200
MAX_CHARS = 1600
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")
_SPACE = re.compile(r"(?<=\s)")


class Piece(NamedTuple):
    """A passage as it is cut: ``place`` counts within the document, from 0."""

    place: int
    heading: str
    anchor: str | None
    text: str


def cut_document(document: Document) -> list[Piece]:
    """Return a document's passages in order: none reaches over a heading, none overlap.

    Paragraphs stay whole up to ``MAX_CHARS``; a table that is cut (lines that begin
    with ``|``) has its header in each piece. A correction is one passage, however long.
    """
    texts: list[tuple[str, str | None, str]]
    if document.kind == "correction":
        texts = [("", None, "\n\n".join(section.text for section in document.sections))]
    else:
        texts = [
            (section.heading, section.anchor, text)
            for section in document.sections
            for text in _cut(section.text)
        ]
    filled = [each for each in texts if each[2].strip()]
    return [Piece(place, *each) for place, each in enumerate(filled)]


def _cut(text: str) -> Iterator[str]:
    kept = ""
    for block in _blocks(text):
        if kept and len(kept) + 2 + len(block) > GOAL_CHARS:
            yield kept
            kept = block
        else:
            kept = f"{kept}\n\n{block}" if kept else block
    if kept:
        yield kept


def _blocks(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        block = paragraph.strip()
        if len(block) <= MAX_CHARS:
            if block:
                yield block
        elif block.startswith("|"):
            yield from _rows(block.split("\n"))
        else:
            yield from _pack(_lines(block), "")


def _rows(lines: list[str]) -> Iterator[str]:
    headed = len(lines) > 1 and set(lines[1]) <= set("|-: ")
    header = "\n".join(lines[: 2 if headed else 1])
    if len(header) > GOAL_CHARS // 2:
        yield from _pack(_lines("\n".join(lines)), "")
        return
    rows = lines[2 if headed else 1 :]
    room = MAX_CHARS - len(header) - 1
    cut = (piece for row in rows for piece in _sentences(f"{row}\n", room))
    yield from _pack(cut, f"{header}\n")


def _lines(block: str) -> Iterator[str]:
    for line in block.splitlines(keepends=True):
        yield from _sentences(line, MAX_CHARS)


def _sentences(line: str, room: int) -> Iterator[str]:
    """Cut a line that is too long: after sentences, else after words, else anywhere."""
    if len(line) <= room:
        yield line
        return
    end = 0
    for found in [*_SENTENCE.finditer(line), None]:
        upto = found.end() if found else len(line)
        sentence = line[end:upto]
        end = upto
        if len(sentence) <= room:
            yield sentence
            continue
        for word in _SPACE.split(sentence):
            for at in range(0, len(word), room):
                yield word[at : at + room]


def _pack(pieces: Iterable[str], header: str) -> Iterator[str]:
    kept = ""
    for piece in pieces:
        if kept and len(header) + len(kept) + len(piece) > GOAL_CHARS:
            yield (header + kept).strip()
            kept = ""
        kept += piece
    if kept.strip():
        yield (header + kept).strip()
