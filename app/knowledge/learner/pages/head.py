"""What a page says of itself: its title, its rules for robots, and where it leads."""

import re

from selectolax.lexbor import LexborHTMLParser

from app.knowledge.learner.pages.page import Link
from app.knowledge.learner.pages.text import plain

MAX_LINKS = 5000
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


class Head:
    """What stands in a page's head, and all its links; read before anything is dropped."""

    def __init__(self, tree: LexborHTMLParser) -> None:
        title = tree.css_first("head > title") or tree.css_first("title")
        self.title = plain(title.text()) if title else ""
        self.language = self._find_language(tree)
        self.canonical = self._href(tree, "link[rel~='canonical' i]")
        self.base = self._href(tree, "base[href]")
        robots: set[str] = set()
        for each in tree.css("meta[name='robots' i], meta[name='perch' i]"):
            robots.update(re.split(r"[\s,]+", (each.attributes.get("content") or "").lower()))
        self.robots = robots
        self.links = self._find_links(tree)

    @staticmethod
    def _find_language(tree: LexborHTMLParser) -> str | None:
        root = tree.css_first("html")
        attributes = root.attributes if root else {}
        found = _LANGUAGE.fullmatch(attributes.get("lang") or attributes.get("xml:lang") or "")
        return found[0].replace("_", "-").lower() if found else None

    @staticmethod
    def _href(tree: LexborHTMLParser, selector: str) -> str | None:
        node = tree.css_first(selector)
        href = (node.attributes.get("href") or "").strip() if node else ""
        return href or None

    @staticmethod
    def _find_links(tree: LexborHTMLParser) -> list[Link]:
        links: dict[str, bool] = {}
        for node in tree.css("a[href], area[href], link[rel~='next' i][href]"):
            href = (node.attributes.get("href") or "").strip()
            if href and not href.startswith("#"):
                follows = "nofollow" not in (node.attributes.get("rel") or "").lower().split()
                links[href] = links.get(href, False) or follows
            if len(links) == MAX_LINKS:
                break
        return [Link(*each) for each in links.items()]
