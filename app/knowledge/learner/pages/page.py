"""What was read of a page or a file, before what repeats on every page is taken out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


class Unreadable(Exception):
    """A page or a file that cannot be read; its words say why, for the owner."""


class Block(NamedTuple):
    """A paragraph, an item of a list, a row of a table; ``is_links``: nothing but links."""

    text: str
    is_links: bool = False


class Part(NamedTuple):
    """What stands under one heading: the path to it, where it opens, and its blocks."""

    heading: str
    anchor: str | None
    blocks: Sequence[Block]


class Link(NamedTuple):
    """An address, as the page has it, that leads somewhere else."""

    href: str
    is_followed: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it was read.

    ``title`` is its main heading, else ``head_title``: what the browser's tab says, which
    often ends with the site's name. ``canonical`` and ``links`` are as they were written.
    """

    title: str
    parts: Sequence[Part]
    head_title: str = ""
    language: str | None = None
    canonical: str | None = None
    base: str | None = None
    links: Sequence[Link] = ()
    is_noindex: bool = False
    is_nofollow: bool = False

    @property
    def text_chars(self) -> int:
        """How much it says."""
        return sum(len(block.text) for part in self.parts for block in part.blocks)


def to_json(page: Page) -> dict[str, Any]:
    """Return a page as values of JSON."""
    return {
        "title": page.title,
        "parts": [[part.heading, part.anchor, list(part.blocks)] for part in page.parts],
        "head_title": page.head_title,
        "language": page.language,
        "canonical": page.canonical,
        "base": page.base,
        "links": list(page.links),
        "is_noindex": page.is_noindex,
        "is_nofollow": page.is_nofollow,
    }


def from_json(value: dict[str, Any]) -> Page:
    """Return the page that ``to_json`` made values of."""
    parts = [
        Part(heading, anchor, [Block(*each) for each in blocks])
        for heading, anchor, blocks in value.pop("parts")
    ]
    links = [Link(*each) for each in value.pop("links")]
    return Page(parts=parts, links=links, **value)
