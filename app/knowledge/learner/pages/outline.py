"""Blocks gather under the path of headings that leads to them."""

from app.knowledge.learner.pages.page import Block, Part
from app.knowledge.learner.pages.text import (
    alike,
    plain,
    plain_lines,
    said_chars,
)

SEPARATOR = " › "
_MAX_HEADING_CHARS = 200
_MAX_ANCHOR_CHARS = 200


class Outline:
    """A page in the making: what is added comes in reading order."""

    def __init__(self) -> None:
        self._done: list[tuple[list[str], str | None, list[Block]]] = []
        self._path: list[tuple[int, str]] = []
        self._anchor: str | None = None
        self._blocks: list[Block] = []
        self._pieces: list[str] = []
        self._link_chars = 0
        self._link_depth = 0
        # The id of an element that a heading is the first content of.
        self._mark: str | None = None

    def add(self, text: str, *, is_break: bool = False) -> None:
        """Add text to the block that has begun; a break of lines only where it says so."""
        if is_break:
            self._pieces.append("\n")
            return
        piece = text.replace("\n", " ") if "\n" in text else text
        if self._link_depth:
            self._link_chars += said_chars(piece)
        if piece and not piece.isspace():
            self._mark = None
        self._pieces.append(piece)

    def begin_link(self) -> None:
        """Tell that what follows leads elsewhere."""
        self._link_depth += 1

    def end_link(self) -> None:
        """Tell that it leads there no more."""
        self._link_depth -= 1

    def begin_item(self) -> None:
        """Begin an item of a list."""
        self._pieces.append("- ")

    def end_block(self) -> None:
        """End a block, if one has begun."""
        if not self._pieces:
            return
        text = plain_lines("".join(self._pieces))
        # An item whose first content is a block of its own keeps its mark.
        if text == "-":
            self._pieces = ["- "]
            return
        if text:
            self._blocks.append(Block(text, self._link_chars * 10 >= said_chars(text) * 9 > 0))
        self._pieces, self._link_chars = [], 0

    def code(self, text: str) -> None:
        """Add a block whose spaces and lines are its own."""
        self._flush_block()
        if text.strip():
            self._mark = None
            self._blocks.append(Block(text))

    def row(self, text: str, is_links: bool) -> None:
        """Add a row of a table."""
        self._flush_block()
        self._mark = None
        self._blocks.append(Block(text, is_links))

    def mark(self, anchor: str) -> None:
        """Remember where a link may open what comes next."""
        if _is_anchor(anchor):
            self._mark = anchor

    def head(self, level: int, text: str, anchor: str | None) -> None:
        """Begin a section."""
        self._flush_block()
        if not text:
            return
        self._end_part()
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        self._path.append((level, text[:_MAX_HEADING_CHARS]))
        self._anchor = anchor if anchor and _is_anchor(anchor) else self._mark
        self._mark = None

    def end(self) -> None:
        """End the page."""
        self._flush_block()
        self._end_part()

    def parts(self, title: str) -> list[Part]:
        """Return what was gathered, the title left out of the paths."""
        called = alike(title)
        found = []
        for path, anchor, blocks in self._done:
            below = path[1:] if path and alike(path[0]) == called else path
            others = [each for each in blocks if alike(each.text) != called]
            if others:
                found.append(Part(SEPARATOR.join(below), anchor, others))
        return found

    def _flush_block(self) -> None:
        self.end_block()
        self._pieces, self._link_chars = [], 0

    def _end_part(self) -> None:
        if self._blocks:
            self._done.append(([text for _, text in self._path], self._anchor, self._blocks))
            self._blocks = []


def _is_anchor(text: str) -> bool:
    return len(text) <= _MAX_ANCHOR_CHARS and " " not in text and plain(text) == text
