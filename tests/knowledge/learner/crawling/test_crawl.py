"""Which pages of a site are visited, which are not, and why."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from app.domain.knowledge import Document
from app.knowledge.learner.crawling.crawl import MAX_FAILURES, Crawl
from app.knowledge.learner.crawling.plan import Plan
from app.knowledge.learner.crawling.spool import Spool
from app.knowledge.learner.crawling.urls import Scope
from app.knowledge.learner.report import Report
from tests.clock import Clock
from tests.knowledge.learner.site import (
    SITE,
    Answer,
    FakeSite,
    ReadingHere,
    a_page,
    leads_to,
    words_of,
)


def a_document(path: str, **fields: object) -> Document:
    url = SITE + path
    found = Document("default", url, "page", path, url=url, hash="h", learnt_at=1000)
    return replace(found, **fields)  # type: ignore[arg-type]


def a_map(path: str) -> Answer:
    body = f"<urlset><url><loc>{SITE}{path}</loc></url></urlset>"
    return Answer(body, content_type="text/xml")


class Run:
    """A crawl that has ended."""

    def __init__(
        self,
        site: FakeSite,
        plan: Plan | None = None,
        known: Mapping[str, Document] = {},
        max_pages: int = 100,
        visits: int = 1000,
    ) -> None:
        self.clock = Clock()
        self.site = site
        self.report = Report(0)
        with Spool() as spool:
            crawl = Crawl(
                site, ReadingHere(), spool, self.report, known, max_pages,
                goes_on=lambda _url: len(site.visited()) < visits,
                clock=self.clock, sleep=self.clock.advance,
            )  # fmt: skip
            crawl.run(plan or Plan([f"{SITE}/"], Scope.of(f"{SITE}/")))
            self.read = [each.key.removeprefix(SITE) for each in spool]
        self.visits = crawl.visits

    def why(self, path: str) -> str:
        state, reason = self.report._entries[SITE + path]
        return f"{state}: {reason}" if reason else state


def known(*documents: Document) -> dict[str, Document]:
    return {each.key: each for each in documents}


def test_sitemap_comes_first_then_links_each_page_once() -> None:
    site = FakeSite({
        "/robots.txt": f"Sitemap: {SITE}/map.xml",
        "/map.xml": a_map("/mapped"),
        "/": a_page("Home", links=("/a", "/a#x", "/a?utm_source=y", "b", "mailto:x@y.z", "https://other.example/")),
        "/a": a_page("A", links=("/", "/c")),
        "/b": a_page("B"), "/c": a_page("C"), "/mapped": a_page("M"),
    })  # fmt: skip

    run = Run(site)

    assert run.read == ["/", "/mapped", "/a", "/b", "/c"]
    assert run.report.scopes == ["site.example below /"]
    assert run.report.notes == ["1 links were left out: another site"]


def test_page_a_second_is_asked_of_a_foreign_host_and_no_pause_is_made_at_home() -> None:
    pages = {"/": a_page("Home", links=("/a", "/b")), "/a": a_page("A"), "/b": a_page("B")}
    at_home = FakeSite(pages)
    at_home.is_at_home = True

    assert Run(FakeSite(pages)).clock() == 1002
    assert Run(at_home).clock() == 1000


def test_crawl_delay_is_kept_up_to_ten_seconds() -> None:
    site = FakeSite({
        "/robots.txt": "User-agent: *\nCrawl-delay: 60",
        "/": a_page("Home", links=("/a",)), "/a": a_page("A"),
    })  # fmt: skip

    assert Run(site).clock() == 1010


def test_what_the_owner_does_not_want_is_not_read() -> None:
    site = FakeSite({
        "/robots.txt": "User-agent: *\nDisallow: /private",
        "/": a_page("Home", links=("/private", "/meta", "/header", "/other-bot", "/moved")),
        "/private": a_page("Private"),
        "/meta": a_page("Meta", head="<meta name=robots content='noindex'>", links=("/found",)),
        "/header": Answer(a_page("Header"), headers={"x-robots-tag": "noarchive, noindex"}),
        "/other-bot": Answer(a_page("Other"), headers={"x-robots-tag": "googlebot: noindex"}),
        "/moved": leads_to("/private"),
        "/found": a_page("Found"),
    })  # fmt: skip

    run = Run(site)

    assert run.read == ["/", "/other-bot", "/found"]
    assert run.why("/private") == "skipped: robots.txt does not allow it"
    assert run.why("/meta") == run.why("/header") == "skipped: noindex"
    assert run.why("/moved").endswith("/private: robots.txt does not allow it")


def test_links_that_are_not_to_be_followed_are_not() -> None:
    site = FakeSite({
        "/": "<h1>Home</h1><a rel=nofollow href=/a>a</a><a href=/b>b</a>",
        "/a": a_page("A"), "/c": a_page("C"),
        "/b": a_page("B", head="<meta name=robots content=nofollow>", links=("/c",)),
    })  # fmt: skip

    assert Run(site).read == ["/", "/b"]


def test_other_types_are_skipped_with_their_reason() -> None:
    site = FakeSite({
        "/": a_page("Home", links=("/feed", "/data", "/file")),
        "/feed": Answer("{}", content_type="application/json"),
        "/data": Answer(b"\0\1\2\3" * 9, content_type="text/html"),
        "/file": Answer(b"<html>", content_type="application/pdf"),
    })  # fmt: skip

    run = Run(site)

    assert run.why("/feed") == "skipped: not a type that is learnt: application/json"
    assert run.why("/data") == "failed: not text: it holds binary data"
    assert run.why("/file") == "failed: said to be a PDF, and is none"


def test_site_without_robots_txt_is_read_and_one_bad_page_does_not_end_it() -> None:
    site = FakeSite({
        "/": a_page("Home", links=("/gone", "/broken", "/a")),
        "/broken": Answer(status=500), "/a": a_page("A"),
    })  # fmt: skip

    run = Run(site)

    assert run.read == ["/", "/a"]
    assert run.why("/gone") == "skipped: the server answers 404"
    assert run.why("/broken") == "failed: the server answers 500"


def test_damaged_addresses_of_a_page_and_of_robots_txt_cost_themselves_alone() -> None:
    links = ("http://[", "http://h:99999/", "//[x", "/a")
    site = FakeSite({
        "/robots.txt": "Sitemap: http://[\nSitemap: http://h:99999/\nSitemap: /b.xml",
        "/b.xml": a_map("/b"),
        "/": a_page("Home", head='<base href="http://[">', links=links),
        "/a": a_page("A", head='<link rel=canonical href="http://[">'), "/b": a_page("B"),
    })  # fmt: skip

    run = Run(site)

    assert run.read == ["/", "/b", "/a"]
    assert run.report.state_of("http://[") == "failed"


def test_damaged_sitemap_among_pages_and_what_nobody_expects_cost_one_page() -> None:
    entity = '<!DOCTYPE u [<!ENTITY a "b">]><urlset><url><loc>&a;</loc></url></urlset>'
    site = FakeSite({
        "/": a_page("Home", links=("/feed", "/bug", "/a")), "/a": a_page("A"),
        "/feed": Answer(entity, content_type="text/xml"), "/bug": Answer(None),  # type: ignore[arg-type]
    })  # fmt: skip

    run = Run(site)

    assert run.read == ["/", "/a"]
    assert run.why("/feed") == "failed: the sitemap declares entities"
    assert run.why("/bug") == "failed: it cannot be read (TypeError)"


def test_site_whose_robots_txt_cannot_be_read_is_left_alone() -> None:
    site = FakeSite({"/robots.txt": Answer(status=503), "/": a_page("Home")})

    run = Run(site, known=known(a_document("/a")))

    assert run.read == []
    assert "robots.txt cannot be read" in run.why("/")
    assert list(run.visits.failed) == [f"{SITE}/a"]
    assert run.visits.gone == {}


def test_site_that_is_down_is_not_asked_for_ever() -> None:
    paths = [f"/{n}" for n in range(50)]
    site = FakeSite({path: Answer(status=502) for path in paths})

    run = Run(site, known=known(*map(a_document, paths)))

    assert len(run.visits.failed) == MAX_FAILURES - 1 or len(run.visits.failed) == MAX_FAILURES
    assert run.visits.gone == {}
    assert "10 times in a row" in run.report.notes[0]


def test_no_more_pages_than_were_asked_for_and_the_rest_has_its_reason() -> None:
    links = tuple(f"/{n}" for n in range(5))
    site = FakeSite({"/": a_page("Home", links=links), **{each: a_page(each) for each in links}})

    run = Run(site, max_pages=3)

    assert run.read == ["/", "/0", "/1"]
    assert run.why("/2") == run.why("/4") == "skipped: more than 3 pages (LEARN_MAX_PAGES)"


def test_known_pages_are_looked_at_again_even_where_nothing_leads_to_them() -> None:
    site = FakeSite({"/": a_page("Home"), "/orphan": a_page("Orphan")})

    run = Run(site, known=known(a_document("/orphan"), a_document("/gone")), max_pages=3)

    assert run.read == ["/", "/orphan"]
    assert run.visits.gone == {f"{SITE}/gone": "the server answers 404"}


def test_new_pages_come_before_those_that_were_seen_and_of_these_the_oldest() -> None:
    site = FakeSite({
        "/": a_page("Home", links=("/new",)), "/new": a_page("New"),
        "/old": a_page("Old"), "/older": a_page("Older"),
    })  # fmt: skip

    run = Run(site, known=known(a_document("/old", learnt_at=9), a_document("/older", learnt_at=5)))

    assert run.read == ["/", "/new", "/older", "/old"]


def test_page_that_moved_is_read_where_it_is_now() -> None:
    site = FakeSite(
        {
            "/": a_page("Home", links=("/old", "/new")),
            "/old": leads_to("/new"),
            "/new": a_page("New"),
        }
    )

    run = Run(site, known=known(a_document("/old")))

    assert run.read == ["/", "/new"]
    assert run.visits.moved == {f"{SITE}/old": f"{SITE}/new"}
    assert run.why("/old") == f"skipped: leads to {SITE}/new"
    assert run.visits.gone == run.visits.failed == {}


def test_seed_may_lead_on_to_another_path_which_is_said() -> None:
    site = FakeSite({
        "/docs": leads_to("/manual/"), "/manual/": a_page("Manual", links=("/manual/a", "/blog")),
        "/manual/a": a_page("A"),
    })  # fmt: skip

    run = Run(site, Plan([f"{SITE}/docs"], Scope.of(f"{SITE}/docs")))

    assert run.read == ["/manual/", "/manual/a"]
    assert run.report.scopes == ["site.example below /docs and /manual/"]


@pytest.mark.parametrize("target", ["https://evil.example/", "/blog"])
def test_page_that_leads_out_of_the_scope_is_not_followed(target: str) -> None:
    site = FakeSite({"/docs/": a_page("D", links=("/docs/a",)), "/docs/a": leads_to(target)})

    run = Run(site, Plan([f"{SITE}/docs/"], Scope.of(f"{SITE}/docs/")))

    assert run.read == ["/docs/"]
    assert run.why("/docs/a").startswith("skipped: leads to http")


def test_canonical_of_the_same_site_is_noted_and_read_and_that_of_another_is_not() -> None:
    site = FakeSite({
        "/": a_page("Home", links=("/a?print=1",)),
        "/a?print=1": a_page("A", head="<link rel=canonical href=/a>"),
        "/a": a_page("A", head="<link rel=canonical href=https://evil.example/a>"),
    })  # fmt: skip

    run = Run(site)

    assert run.read == ["/", "/a?print=1", "/a"]
    assert run.visits.canonicals == {f"{SITE}/a?print=1": f"{SITE}/a"}


def test_calendar_without_end_ends() -> None:
    class Calendar(FakeSite):
        def get(self, url: str, **options: object) -> object:  # type: ignore[override]
            page = int(url.partition("page=")[2] or 0)
            links = (f"/cal?page={page + 1}",)
            self.put({url: a_page(f"Day {page}", words_of(str(page)), links=links)})
            return super().get(url)

    site = Calendar({"/robots.txt": Answer(status=404)})
    run = Run(site, max_pages=1000)  # type: ignore[arg-type]

    assert len(run.read) < 60
    assert any("variants of a page" in each for each in run.report.notes)


def test_only_the_pages_of_a_sitemap_are_read_where_that_was_asked() -> None:
    site = FakeSite({
        "/map.xml": a_map("/a"),
        "/a": a_page("A", links=("/b",)), "/b": a_page("B"),
    })  # fmt: skip

    plan = Plan((), Scope.of(f"{SITE}/"), follows=False, sitemaps=[f"{SITE}/map.xml"])

    assert Run(site, plan).read == ["/a"]


def test_address_of_a_sitemap_is_read_as_one() -> None:
    site = FakeSite({
        "/map.xml": a_map("/a"),
        "/a": a_page("A"),
    })  # fmt: skip

    run = Run(site, Plan([f"{SITE}/map.xml"], Scope.of(f"{SITE}/map.xml")))

    assert run.read == ["/a"]


def test_run_that_is_stopped_keeps_what_it_read() -> None:
    site = FakeSite({"/": a_page("Home", links=("/a", "/b")), "/a": a_page("A"), "/b": a_page("B")})

    run = Run(site, visits=2)

    assert run.read == ["/", "/a"]
    assert "1 links were left out: not reached any more" in run.report.notes
