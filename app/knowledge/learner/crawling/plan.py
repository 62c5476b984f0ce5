"""What a crawl is asked for, what it uses, and what it finds out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from app.knowledge.learner.crawling.answer import NotFetched
from app.knowledge.learner.crawling.fetch import MAX_PAGE_BYTES
from app.knowledge.learner.crawling.robots import NAME, Fetches
from app.knowledge.learner.crawling.urls import Scope
from app.knowledge.learner.pages.kinds import MAX_FILE_BYTES, kind_of
from app.knowledge.learner.pages.page import Page

_LARGE = ("pdf", "docx")
_NO_INDEX = ("noindex", "none")


class Reads(Protocol):
    """What ``Reading.read`` does."""

    def read(self, body: bytes, kind: str, name: str, charset: str | None = None) -> Page:
        """Read a page."""
        ...


class Site(Fetches, Protocol):
    """What a fetcher does."""

    @property
    def is_at_home(self) -> bool:
        """Whether the last address was this machine's own."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What is gone through: from ``seeds`` on, within ``scope``.

    ``follows`` links, or reads what ``seeds`` and sitemaps name, and no more.
    """

    seeds: Sequence[str]
    scope: Scope
    follows: bool = True
    sitemaps: Sequence[str] = ()


@dataclass(slots=True)
class Visits:
    """What was found out of pages that are known already, by their keys; and of canonicals.

    ``moved`` lead elsewhere; ``canonicals`` are what pages call themselves.
    """

    gone: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    canonicals: dict[str, str] = field(default_factory=dict)


class Skip(Exception):
    """A page that is not wanted; ``is_gone``: by its owner, and so is no copy of it."""

    def __init__(self, why: str, *, is_gone: bool = False) -> None:
        super().__init__(why)
        self.is_gone = is_gone


def bound(url: str, content_type: str) -> int:
    """Return how much of an address is read; raise ``NotFetched`` where it is not learnt."""
    kind = kind_of(urlsplit(url).path, content_type)
    said = content_type.partition(";")[0].strip().lower()
    if kind is None and not said.endswith(("/xml", "+xml")):
        raise NotFetched(f"not a type that is learnt: {said[:60] or 'unknown'}", is_refused=True)
    return MAX_FILE_BYTES if kind in _LARGE else MAX_PAGE_BYTES


def tells_no_index(header: str) -> bool:
    """Tell what X-Robots-Tag says: rules for all, or for one robot behind its name."""
    agent = ""
    for each in header.lower().split(","):
        name, colon, rule = each.strip().partition(":")
        if colon and name.strip() not in ("unavailable_after", "max-snippet", "max-image-preview"):
            agent, each = name.strip(), rule
        if agent in ("", NAME.lower()) and each.strip() in _NO_INDEX:
            return True
    return False


def with_hosts(plan: Plan, urls: Sequence[str]) -> Plan:
    """Return a plan whose scope has the hosts that its sitemap names."""
    scope = plan.scope.with_sitemap_hosts(urls)
    return Plan(plan.seeds, scope, plan.follows, plan.sitemaps)


def with_path(plan: Plan, url: str) -> Plan:
    """Return a plan whose scope has the directory to which its seed led."""
    return Plan(plan.seeds, plan.scope.with_path(url), plan.follows, plan.sitemaps)
