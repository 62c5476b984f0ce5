"""Goes through a site: what its owner lets robots read, each page once, at a polite pace."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

from app.domain.knowledge import Document
from app.knowledge.learner.crawling.answer import Fetched, NotFetched
from app.knowledge.learner.crawling.frontier import Frontier
from app.knowledge.learner.crawling.plan import (
    Plan,
    Reads,
    Site,
    Skip,
    Visits,
    bound,
    tells_no_index,
    with_hosts,
    with_path,
)
from app.knowledge.learner.crawling.robots import Robots
from app.knowledge.learner.crawling.sitemap import (
    NoSitemap,
    is_sitemap,
    parse_sitemap,
    read_sitemaps,
)
from app.knowledge.learner.crawling.spool import Read, Spool
from app.knowledge.learner.crawling.urls import NoPage, Scope, normalise
from app.knowledge.learner.pages.kinds import kind_of
from app.knowledge.learner.pages.page import Page, Unreadable
from app.knowledge.learner.report import Report

log = logging.getLogger(__name__)

_LEAST_PAUSE_S = 1.0
# So many failures in a row are a site that is down: the rest of it is not asked.
MAX_FAILURES = 10


class Crawl:
    """Visits pages, one after the other, and leaves those that it read in a spool.

    ``max_pages`` bounds what is known of a plan's scope in the end, beside its seeds;
    ``max_read`` what is read now.
    """

    def __init__(
        self,
        fetcher: Site,
        reading: Reads,
        spool: Spool,
        report: Report,
        known: Mapping[str, Document],
        max_pages: int,
        *,
        max_read: int | None = None,
        goes_on: Callable[[str], bool],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.visits = Visits()
        self._fetcher = fetcher
        self._reading = reading
        self._robots = Robots(fetcher)
        self._spool = spool
        self._report = report
        self._known = known
        self._room = self._max_pages = max_pages
        self._max_read = max_read
        self._goes_on = goes_on
        self._clock = clock
        self._sleep = sleep
        self._frontier = Frontier()
        self._asked_at: dict[str, float] = {}
        self._failures = 0
        self._left_out: dict[str, int] = {}
        self._plan = Plan((), Scope("", 0))

    def run(self, plan: Plan) -> None:
        """Go through one plan, until all was seen or ``goes_on`` is false of an address."""
        self._plan, self._failures = plan, 0
        self._begin()
        while (url := self._frontier.take()) is not None:
            self._report.total = self._report.done + len(self._frontier) + 1
            if not self._goes_on(url) or self._has_enough():
                break
            self._visit(url)
            self._report.done += 1
            if self._failures >= MAX_FAILURES:
                self._report.note(
                    f"{self._plan.scope.host} failed {MAX_FAILURES} times in a row: the rest of it"
                    " was not asked. What was learnt of it stays."
                )
                url = None
                break
        self._end(url)

    def _has_enough(self) -> bool:
        return self._max_read is not None and len(self._spool) >= self._max_read

    def _begin(self) -> None:
        for url in self._plan.seeds:
            self._frontier.add(url, 0)
        if self._plan.follows or self._plan.sitemaps:
            self._read_sitemaps()
        self._room = self._max_pages
        for key, document in self._known.items():
            if key.startswith("http") and self._plan.scope.why_not(key) is None:
                self._frontier.add(key, 1 + document.learnt_at)
                self._room -= 1

    def _end(self, stopped_at: str | None) -> None:
        self._report.scopes.append(str(self._plan.scope))
        rest = len(self._frontier) + (stopped_at is not None)
        while self._frontier.take() is not None:
            pass
        if rest:
            self._left_out["not reached any more"] = rest
        for why, times in self._left_out.items():
            self._report.note(f"{times} links were left out: {why}")
        self._left_out = {}

    def _read_sitemaps(self) -> None:
        origin = self._plan.seeds[0] if self._plan.seeds else self._plan.sitemaps[0]
        guessed = urljoin(origin, "/sitemap.xml")
        named = list(self._plan.sitemaps)
        if not named:
            try:
                named = self._named_sitemaps(origin) or [guessed]
            except NotFetched:
                return  # the seeds will say so
        for url, found in read_sitemaps(self._fetcher, named, self._is_ours):
            if not self._goes_on(url):
                return
            if isinstance(found, str):
                if url != guessed or self._plan.sitemaps:
                    self._report.set(url, "failed", found)
                continue
            self._plan = with_hosts(self._plan, found)
            for page in found:
                self._wait(page)

    def _named_sitemaps(self, origin: str) -> list[str]:
        named = []
        for each in self._robots.of(origin).sitemaps:
            try:
                named.append(normalise(each, origin))
            except NoPage as error:
                self._report.set(each, "failed", str(error))
        return named

    def _is_ours(self, url: str) -> bool:
        return self._plan.scope.has_site(url) or url in self._plan.sitemaps

    def _wait(self, url: str) -> None:
        why = self._plan.scope.why_not(url)
        known = self._known.get(url)
        why = why or self._frontier.add(url, 1 + (known.learnt_at if known else 0))
        if why:
            self._left_out[why] = self._left_out.get(why, 0) + 1

    def _visit(self, url: str) -> None:
        is_new = url not in self._known and url not in self._plan.seeds
        if is_new and self._room <= 0:
            self._report.set(url, "skipped", f"more than {self._max_pages} pages (LEARN_MAX_PAGES)")
            return
        try:
            fetched = self._fetch(url)
            self._take(url, fetched)
            self._failures = 0
        except NotFetched as error:
            self._fail(url, error)
        except (Unreadable, NoSitemap) as error:
            self._failures = 0
            self._note_failed(url, str(error))
        except Skip as error:
            self._failures = 0
            self._skip(url, error)
        except OSError:  # of this machine's disk: a site's is a ``NotFetched``
            raise
        except Exception as error:  # a bug, about one page of many: the next is another
            log.exception("A page ended in an unexpected error")
            self._note_failed(url, f"it cannot be read ({type(error).__name__})")

    def _fetch(self, url: str) -> Fetched:
        rules = self._robots.of(url)
        if not rules.allows(url):
            raise Skip("robots.txt does not allow it", is_gone=True)
        self._pause(url, rules.delay_s)
        is_seed = url in self._plan.seeds

        def why_not(target: str) -> str | None:
            scope = self._plan.scope
            outside = None if is_seed and scope.has_site(target) else scope.why_not(target)
            if outside or target == url:
                return outside
            if not self._robots.of(target).allows(target):
                return "robots.txt does not allow it"
            return None

        return self._fetcher.get(url, bound=bound, why_not=why_not)

    def _pause(self, url: str, delay_s: float) -> None:
        host = urlsplit(url).netloc
        last = self._asked_at.get(host)
        if last is not None and not self._fetcher.is_at_home:
            wait_s = last + max(delay_s, _LEAST_PAUSE_S) - self._clock()
            if wait_s > 0:
                self._sleep(wait_s)
        self._asked_at[host] = self._clock()

    def _take(self, asked: str, fetched: Fetched) -> None:
        url = normalise(fetched.url)
        if url != asked:
            self._lead_on(asked, url)
        if tells_no_index(fetched.headers.get("x-robots-tag", "")):
            raise Skip("noindex", is_gone=True)
        if is_sitemap(fetched.body):
            for each in parse_sitemap(fetched.body).pages:
                self._follow(each, url)
            raise Skip("a sitemap: its pages are learnt")
        kind = kind_of(urlsplit(url).path, fetched.content_type)
        if kind is None:
            raise Skip(f"not a type that is learnt: {fetched.content_type[:60]}")
        name = PurePosixPath(unquote(urlsplit(url).path)).name or "index.html"
        page = self._reading.read(fetched.body, kind, name, fetched.charset)
        self._look_around(url, page)
        if page.is_noindex:
            raise Skip("noindex", is_gone=True)
        self._spool.add(Read(url, "page", url, page))
        self._room -= url not in self._known
        self._report.set(url, "read")

    def _lead_on(self, asked: str, url: str) -> None:
        self.visits.moved[asked] = url
        if asked in self._plan.seeds:
            self._plan = with_path(self._plan, url)
        self._report.set(asked, "skipped", f"leads to {url}")
        if not self._frontier.see(url) and url in self._spool:
            raise Skip(f"leads to {url}")

    def _look_around(self, url: str, page: Page) -> None:
        base = url
        with suppress(ValueError):  # it is no address
            base = urljoin(url, page.base or "")
        if page.canonical:
            self._call(url, page.canonical, base)
        if not self._plan.follows or page.is_nofollow:
            return
        for link in page.links:
            if link.is_followed:
                self._follow(link.href, base)

    def _call(self, url: str, canonical: str, base: str) -> None:
        try:
            found = normalise(canonical, base)
        except NoPage:
            return
        if found != url and self._plan.scope.why_not(found) is None:
            self.visits.canonicals[url] = found
            self._wait(found)

    def _follow(self, href: str, base: str) -> None:
        with suppress(NoPage):  # mail, telephone, script
            self._wait(normalise(href, base))

    def _fail(self, url: str, error: NotFetched) -> None:
        if error.is_gone:
            self._failures = 0
            self._skip(url, Skip(str(error), is_gone=True))
        elif error.is_refused:
            self._failures = 0
            self._skip(url, Skip(str(error)))
        else:
            self._failures += 1
            self._note_failed(url, str(error))

    def _note_failed(self, url: str, why: str) -> None:
        if url in self._known:
            self.visits.failed[url] = why
        self._report.set(url, "failed", why)

    def _skip(self, url: str, why: "Skip") -> None:
        target = self.visits.moved.get(url, url)
        if why.is_gone:
            for key in {url, target} & self._known.keys():
                self.visits.gone[key] = str(why)
            self.visits.moved.pop(url, None)
        elif url in self._known and url not in self.visits.moved:
            self.visits.failed[url] = str(why)
        self._report.set(target, "skipped", str(why))
