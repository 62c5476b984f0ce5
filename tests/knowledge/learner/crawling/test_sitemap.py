"""Sitemaps: good, large, nested and hostile."""

import gzip

import pytest

from app.knowledge.learner.crawling import sitemap
from app.knowledge.learner.crawling.sitemap import (
    NoSitemap,
    is_sitemap,
    parse_sitemap,
    read_sitemaps,
)
from tests.knowledge.learner.site import SITE, Answer, FakeSite

XMLNS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def a_sitemap(*urls: str) -> bytes:
    found = "".join(f"<url><loc> {each} </loc><lastmod>2026-01-01</lastmod></url>" for each in urls)
    return f'<?xml version="1.0"?><urlset {XMLNS}>{found}</urlset>'.encode()


def an_index(*urls: str) -> bytes:
    found = "".join(f"<sitemap><loc>{each}</loc></sitemap>" for each in urls)
    return f"<sitemapindex {XMLNS}>{found}</sitemapindex>".encode()


def test_pages_are_read_and_their_pictures_are_not() -> None:
    body = b"""<urlset xmlns:image="i"><url><loc>https://a/?x=1&amp;y=2</loc>
      <image:image><image:loc>https://a/p.png</image:loc></image:image></url></urlset>"""

    assert parse_sitemap(body).pages == ["https://a/?x=1&y=2"]


def test_sitemap_may_be_packed_or_plain_text() -> None:
    assert parse_sitemap(gzip.compress(a_sitemap("https://a/"), mtime=0)).pages == ["https://a/"]
    assert parse_sitemap(b"\xef\xbb\xbfhttps://a/\nhttps://b/\n").pages == [
        "https://a/",
        "https://b/",
    ]


def test_sitemap_is_known_by_its_first_element() -> None:
    assert is_sitemap(a_sitemap())
    assert is_sitemap(an_index())
    assert not is_sitemap(b"<html><p>urlset")


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><urlset><url><loc>https://&a;/</loc></url></urlset>',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><urlset/>',
        b'<!DOCTYPE l [<!ENTITY a "' + b"x" * 999 + b'"><!ENTITY b "&a;&a;">]><urlset/>',
        b"<urlset><url>",
        b"",
        b"<a>" * 40,
        b"\x1f\x8bbroken",
    ],
)  # fmt: skip
def test_hostile_or_damaged_sitemap_is_refused(body: bytes) -> None:
    with pytest.raises(NoSitemap):
        parse_sitemap(body)


def test_broken_entry_does_not_cost_those_before_it() -> None:
    body = a_sitemap("https://a/", "https://b/").replace(b"</urlset>", b"<url><loc>x & y</loc>")

    assert parse_sitemap(body).pages == ["https://a/", "https://b/"]


def test_no_more_than_so_many_addresses_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap, "MAX_URLS", 3)

    assert parse_sitemap(a_sitemap(*(f"https://a/{n}" for n in range(9)))).pages == [
        "https://a/0",
        "https://a/1",
        "https://a/2",
    ]


def test_address_that_never_ends_is_left_out() -> None:
    assert parse_sitemap(a_sitemap("https://a/" + "x" * 5000, "https://b/")).pages == ["https://b/"]


def xml(body: bytes) -> Answer:
    return Answer(body, content_type="application/xml")


def test_lists_of_lists_are_read_each_once_and_of_this_site_only() -> None:
    site = FakeSite({
        "/index.xml": xml(an_index("a.xml", f"{SITE}/a.xml", f"{SITE}/none.xml", "https://evil.example/e.xml")),
        "/a.xml": xml(a_sitemap("/one", "mailto:x", "/two#x")),
    })  # fmt: skip

    found = dict(read_sitemaps(site, [f"{SITE}/index.xml"], lambda it: it.startswith(SITE)))

    assert found == {
        f"{SITE}/index.xml": [],
        f"{SITE}/a.xml": [f"{SITE}/one", f"{SITE}/two"],
        f"{SITE}/none.xml": "the server answers 404",
        "https://evil.example/e.xml": "another site's",
    }


def test_endless_list_of_lists_ends() -> None:
    class Endless(FakeSite):
        def get(self, url: str, **options: object) -> object:  # type: ignore[override]
            number = len(self.asked)
            self.put({url: xml(an_index(f"{SITE}/{number}-1.xml", f"{SITE}/{number}-2.xml"))})
            return super().get(url)

    site = Endless()
    found = list(read_sitemaps(site, [f"{SITE}/index.xml"], lambda _it: True))  # type: ignore[arg-type]

    assert len(site.asked) == 1 + 2 + 4
    assert found[-1][1] == "sitemaps are nested more than 3 deep"
