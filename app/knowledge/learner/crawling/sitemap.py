"""Sitemaps (https://www.sitemaps.org/protocol.html): lists of pages, and lists of such lists."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from app.knowledge.learner.crawling.answer import NotFetched, gunzip
from app.knowledge.learner.crawling.robots import Fetches
from app.knowledge.learner.crawling.urls import NoPage, normalise

MAX_SITEMAP_BYTES = 50 * 1024 * 1024
MAX_URLS = 50_000
MAX_NESTING = 3
MAX_SITEMAPS = 200
_MAX_DEPTH = 16
_MAX_URL_CHARS = 4000
_PIECE_BYTES = 1 << 16


class NoSitemap(ValueError):
    """It is none; its words say why."""


@dataclass(slots=True)
class Sitemap:
    """Addresses of pages and of further sitemaps, as they were written."""

    pages: list[str] = field(default_factory=list)
    sitemaps: list[str] = field(default_factory=list)


def is_sitemap(body: bytes) -> bool:
    """Tell whether a file that was fetched is one, by its first element."""
    head = body[:2000]
    return b"<urlset" in head or b"<sitemapindex" in head


def parse_sitemap(body: bytes) -> Sitemap:
    """Read a sitemap: XML, or an address a line. Reads no further than its bounds.

    Raises:
        NoSitemap: it is damaged, or declares entities.
    """
    if body[:2] == b"\x1f\x8b":
        try:
            body = gunzip(body, MAX_SITEMAP_BYTES)
        except NotFetched as error:
            raise NoSitemap(str(error)) from error
    if body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"http"):
        lines = body.decode("utf-8-sig", "replace").split()
        return Sitemap(pages=[each for each in lines[:MAX_URLS] if len(each) <= _MAX_URL_CHARS])
    return _Reader().read(body)


class _Full(Exception):
    """Enough was read."""


class _Reader:
    """Follows elements: ``<loc>`` within ``<url>`` is a page, within ``<sitemap>`` a list."""

    def __init__(self) -> None:
        self._found = Sitemap()
        self._path: list[str] = []
        self._text: list[str] | None = None
        self._chars = 0

    def read(self, body: bytes) -> Sitemap:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._add
        parser.EntityDeclHandler = self._refuse
        try:
            for start in range(0, len(body), _PIECE_BYTES):
                parser.Parse(body[start : start + _PIECE_BYTES], False)
            parser.Parse(b"", True)
        except _Full:
            pass
        except expat.ExpatError as error:
            # One broken entry must not cost those before it.
            if not (self._found.pages or self._found.sitemaps):
                raise NoSitemap(f"the sitemap is damaged: {error}") from error
        return self._found

    def _begin(self, name: str, _attributes: dict[str, str]) -> None:
        self._path.append(name.lower())
        if len(self._path) > _MAX_DEPTH:
            raise NoSitemap("the sitemap is nested too deeply")
        if self._path[-2:] in (["url", "loc"], ["sitemap", "loc"]):
            self._text, self._chars = [], 0

    def _add(self, text: str) -> None:
        if self._text is not None and self._chars <= _MAX_URL_CHARS:
            self._text.append(text)
            self._chars += len(text)

    def _end(self, _name: str) -> None:
        if self._text is not None:
            url = "".join(self._text).strip()
            self._text = None
            if url and len(url) <= _MAX_URL_CHARS:
                is_page = self._path[-2] == "url"
                (self._found.pages if is_page else self._found.sitemaps).append(url)
            if len(self._found.pages) + len(self._found.sitemaps) >= MAX_URLS:
                raise _Full
        self._path.pop()

    @staticmethod
    def _refuse(*_declaration: object) -> None:
        raise NoSitemap("the sitemap declares entities")


def read_sitemaps(
    fetcher: Fetches, seeds: Sequence[str], is_ours: Callable[[str], bool]
) -> Iterator[tuple[str, list[str] | str]]:
    """Yield each sitemap with its pages, or with why it could not be read, lists of lists first.

    Addresses come in their one form; those that are none are left out. A sitemap for which
    ``is_ours`` is false is not read.
    """
    waiting = [(each, 1) for each in seeds]
    seen: set[str] = set()
    while waiting and len(seen) < MAX_SITEMAPS:
        url, nesting = waiting.pop(0)
        if url in seen:
            continue
        seen.add(url)
        if not is_ours(url):
            yield url, "another site's"
            continue
        try:
            found = parse_sitemap(fetcher.get(url, bound=MAX_SITEMAP_BYTES).body)
        except (NotFetched, NoSitemap) as error:
            yield url, str(error)
            continue
        if found.sitemaps and nesting >= MAX_NESTING:
            yield url, f"sitemaps are nested more than {MAX_NESTING} deep"
            continue
        if found.sitemaps:
            waiting += [(each, nesting + 1) for each in _normal(found.sitemaps, url)]
        yield url, _normal(found.pages, url)


def _normal(urls: Sequence[str], base: str) -> list[str]:
    found: dict[str, None] = {}
    for each in urls:
        try:
            found[normalise(each, base)] = None
        except NoPage:
            continue
    return list(found)
