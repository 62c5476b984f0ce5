"""What a site's owner lets robots read: robots.txt, by RFC 9309."""

from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from protego import Protego

from app.knowledge.learner.crawling.answer import Bound, Fetched, NotFetched
from app.knowledge.learner.limits import OutOfTime, time_limit

NAME = "Perch"
MAX_ROBOTS_BYTES = 500 * 1024
MAX_DELAY_S = 10.0
# Rules of many robots at once take the product of both.
MAX_PARSE_S = 5.0
_MAX_SITEMAPS = 50


class Fetches(Protocol):
    """What ``Fetcher.get`` does."""

    def get(
        self,
        url: str,
        *,
        bound: int | Bound = ...,
        why_not: Callable[[str], str | None] = ...,
    ) -> Fetched:
        """Fetch an address."""
        ...


class Rules:
    """The rules of one host."""

    def __init__(self, text: str) -> None:
        self._rules = Protego.parse(text)

    def allows(self, url: str) -> bool:
        """Tell whether an address may be read."""
        return bool(self._rules.can_fetch(url, NAME))

    @property
    def delay_s(self) -> float:
        """How long to wait between two requests, at most ``MAX_DELAY_S``."""
        return min(float(self._rules.crawl_delay(NAME) or 0.0), MAX_DELAY_S)

    @property
    def sitemaps(self) -> list[str]:
        """Addresses of sitemaps, as they were written."""
        return list(self._rules.sitemaps)[:_MAX_SITEMAPS]


class Robots:
    """The rules of all hosts that are asked, each read once, in ``parse_s`` at most."""

    def __init__(self, fetcher: Fetches, parse_s: float = MAX_PARSE_S) -> None:
        self._fetcher = fetcher
        self._parse_s = parse_s
        self._known: dict[str, Rules | NotFetched] = {}

    def of(self, url: str) -> Rules:
        """Return the rules for an address.

        Raises:
            NotFetched: they are there, but cannot be read now; nothing may be read until then.
        """
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._known:
            self._known[origin] = self._read(f"{origin}/robots.txt")
        found = self._known[origin]
        if isinstance(found, NotFetched):
            raise NotFetched(f"robots.txt cannot be read ({found})")
        return found

    def _read(self, url: str) -> Rules | NotFetched:
        try:
            fetched = self._fetcher.get(url, bound=MAX_ROBOTS_BYTES)
        except NotFetched as error:
            # 429 is of us, and passes; any other of its kind says that there are no rules.
            is_absent = 400 <= error.status < 500 and error.status != 429
            return Rules("") if is_absent else error
        if fetched.body[:200].lstrip()[:1] == b"<":  # a page that is shown for all addresses
            return Rules("")
        try:
            with time_limit(self._parse_s):
                return Rules(fetched.body.decode("utf-8", "replace"))
        except (OutOfTime, MemoryError):
            return NotFetched("it takes too long")
