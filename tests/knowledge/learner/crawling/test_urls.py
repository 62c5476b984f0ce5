"""One form of an address, and which addresses belong to a site."""

import pytest

from app.knowledge.learner.crawling.urls import (
    NoPage,
    Scope,
    is_odd_host,
    normalise,
)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("HTTPS://Site.Example:443/A/../b?utm_source=x&b=2&a=1&gclid=3#here", "https://site.example/b?b=2&a=1"),
        ("http://site.example", "http://site.example/"),
        ("http://site.example:8080/?", "http://site.example:8080/"),
        ("http://site.example./a b", "http://site.example/a%20b"),
        ("http://site.example/a%20b", "http://site.example/a%20b"),
        ("http://bücher.example/ü", "http://xn--bcher-kva.example/%C3%BC"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
        ("../up?x#y", "https://site.example/up?x"),
        ("?page=2", "https://site.example/dir/page?page=2"),
        ("//other.example/x", "https://other.example/x"),
    ],
)  # fmt: skip
def test_one_form(url: str, found: str) -> None:
    assert normalise(url, "https://site.example/dir/page") == found
    assert normalise(found) == found


@pytest.mark.parametrize(
    "url",
    ["", "mailto:a@b.c", "javascript:alert(1)", "ftp://a/", "http://", "http://a:b@site.example/",
     "http://site.example:99999/", "http://[::1", "/relative", "http://site.example/" + "x" * 2000,
     "http://\u2024\u2024/", "http://site.example/\ud800"],
)  # fmt: skip
def test_what_is_no_page(url: str) -> None:
    with pytest.raises(NoPage):
        normalise(url)


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "1.2.3.4.5", "256.1.1.1"]
)
def test_odd_hosts(host: str) -> None:
    assert is_odd_host(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "8.8.8.8", "site.example", "1and1.com", "::1", "x1"])
def test_usual_hosts(host: str) -> None:
    assert not is_odd_host(host)


@pytest.mark.parametrize(
    ("seed", "url", "why"),
    [
        ("https://site.example/", "https://site.example/a", None),
        ("https://site.example/", "https://www.site.example/a", None),
        ("https://www.site.example/", "http://site.example/a", None),
        ("https://site.example/", "https://docs.site.example/a", "another site"),
        ("https://site.example/", "https://site.example.evil.example/", "another site"),
        ("https://site.example/", "https://site.example:8443/a", "another site"),
        ("https://site.example:8443/", "https://site.example:8443/a", None),
        ("https://site.example/docs/", "https://site.example/docs/a", None),
        ("https://site.example/docs", "https://site.example/docs/a", None),
        ("https://site.example/docs", "https://site.example/docs-old/a", "outside /docs"),
        ("https://site.example/a/index.html", "https://site.example/a/b.html", None),
        ("https://site.example/a/index.html", "https://site.example/b.html", "outside /a/"),
        ("https://site.example/", "https://site.example/logo.PNG", "not a page"),
        ("https://site.example/", "https://site.example/a.pdf", None),
    ],
)  # fmt: skip
def test_scope_is_the_sites_host_below_its_path(seed: str, url: str, why: str | None) -> None:
    assert Scope.of(seed).why_not(url) == why


def test_patterns_narrow_a_scope() -> None:
    scope = Scope.of("https://site.example/", ["/docs/*"], ["*/old/*", "*?print=*"])

    assert scope.why_not("https://site.example/docs/a") is None
    assert scope.why_not("https://site.example/blog") == "not among what is to be learnt only"
    assert scope.why_not("https://site.example/docs/old/a") == "not to be learnt"
    assert scope.why_not("https://site.example/docs/a?print=1") == "not to be learnt"


def test_hosts_that_the_sitemap_names_belong_to_it_if_they_are_of_its_domain() -> None:
    scope = Scope.of("https://www.site.example/").with_sitemap_hosts(
        ["https://docs.site.example/a", "https://evil.example/b", "https://notsite.example/"]
    )

    assert scope.why_not("https://docs.site.example/x") is None
    assert scope.why_not("https://evil.example/b") == "another site"
    assert scope.why_not("https://notsite.example/") == "another site"
    assert str(scope) == "www.site.example, docs.site.example below /"


def test_scope_follows_the_seed_where_it_leads_on() -> None:
    scope = Scope.of("https://site.example/docs").with_path("https://site.example/manual/en/")

    assert scope.why_not("https://site.example/manual/en/a") is None
    assert str(scope) == "site.example below /docs and /manual/en/"
