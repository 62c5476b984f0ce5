"""What repeats on many pages of a site is no page's own: it is learnt once, or not at all."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.knowledge.learner.pages.page import Block, Page, Part
from app.knowledge.learner.pages.text import alike

LEAST_DOCUMENTS = 5
_LEAST_TIMES = 3
_SHARE = 0.3
# More do not change what repeats, and each block that was seen takes memory.
_MAX_SEEN = 2000
_TITLE_END = re.compile(r"\s+(?:[|·•–—-]|::|›|»)\s+(?=[^|·•–—›»]*$)")


class Boilerplate:
    """Learns what repeats from all pages (``see``), then takes it out of each (``strip``).

    What is more than links stays on the page with the shortest key, which is the same the
    next time: a site's telephone number may stand nowhere else.
    """

    def __init__(self) -> None:
        self._documents = 0
        self._times: Counter[int] = Counter()
        self._title_ends: Counter[str] = Counter()
        self._keepers: dict[int, str] = {}

    def see(self, page: Page, key: str) -> None:
        """Count what a page says; ``key`` names it."""
        if self._documents == _MAX_SEEN:
            return
        self._documents += 1
        marks = {mark_of(block) for part in page.parts for block in part.blocks}
        self._times.update(marks)
        for mark in marks:
            keeper = self._keepers.setdefault(mark, key)
            if (len(key), key) < (len(keeper), keeper):
                self._keepers[mark] = key
        self._title_ends.update(_ends(page.head_title))

    def strip(self, page: Page, key: str) -> Page:
        """Return a page without it."""
        parts = [
            Part(part.heading, part.anchor, blocks)
            for part in page.parts
            if (blocks := self._own(part.blocks, key))
        ]
        return replace(page, parts=parts, title=self._own_title(page))

    def _own(self, blocks: Sequence[Block], key: str) -> list[Block]:
        return [each for each in blocks if self._is_own(each, key)]

    def _is_own(self, block: Block, key: str) -> bool:
        mark = mark_of(block)
        if not self._repeats(self._times[mark]):
            return True
        return not block.is_links and self._keepers[mark] == key

    def _own_title(self, page: Page) -> str:
        if page.title != page.head_title:
            return page.title
        for end in _ends(page.title):
            if self._repeats(self._title_ends[end]):
                return page.title[: -len(end)]
        return page.title

    def _repeats(self, times: int) -> bool:
        return (
            self._documents >= LEAST_DOCUMENTS
            and times >= _LEAST_TIMES
            and times > _SHARE * self._documents
        )


def mark_of(block: Block) -> int:
    """Return what blocks have in common that read alike; of use within one process only."""
    # Python's own hash is as good as any within one process, and takes no memory for the text.
    return hash(alike(block.text))


def _ends(title: str) -> Iterable[str]:
    found = _TITLE_END.search(title)
    return [title[found.start() :]] if found and found.start() else []
