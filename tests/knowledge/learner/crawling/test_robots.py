"""robots.txt by RFC 9309."""

import pytest

from app.knowledge.learner.crawling.answer import NotFetched
from app.knowledge.learner.crawling.robots import Robots
from tests.knowledge.learner.site import SITE, Answer, FakeSite


def robots_of(answer: Answer | None, parse_s: float = 5.0) -> Robots:
    return Robots(FakeSite({"/robots.txt": answer} if answer else {}), parse_s)


def test_rules_are_read_once_a_host() -> None:
    site = FakeSite({"/robots.txt": "User-agent: *\nDisallow: /private\nCrawl-delay: 3"})
    robots = Robots(site)

    rules = robots.of(f"{SITE}/a")

    assert rules.allows(f"{SITE}/a")
    assert not robots.of(f"{SITE}/private/x").allows(f"{SITE}/private/x")
    assert rules.delay_s == 3
    assert site.asked == [f"{SITE}/robots.txt"]


def test_rules_for_us_go_before_those_for_all() -> None:
    rules = robots_of(
        Answer(
            "User-agent: *\nDisallow: /\n\nUser-agent: Perch\nAllow: /docs/*.html$\nDisallow: /\n"
        )
    ).of(SITE)

    assert rules.allows(f"{SITE}/docs/a.html")
    assert not rules.allows(f"{SITE}/docs/a.txt")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_no_rules_allow_everything(status: int) -> None:
    assert robots_of(Answer(status=status)).of(SITE).allows(f"{SITE}/a")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_rules_that_cannot_be_read_now_allow_nothing_yet(status: int) -> None:
    robots = robots_of(Answer(status=status))

    with pytest.raises(NotFetched, match=r"robots\.txt cannot be read \(the server answers"):
        robots.of(SITE)


def test_page_in_the_place_of_rules_is_none() -> None:
    rules = robots_of(Answer("<!doctype html><p>User-agent: *\nDisallow: /")).of(SITE)

    assert rules.allows(f"{SITE}/a")


def test_damaged_rules_and_an_endless_delay_do_no_harm() -> None:
    rules = robots_of(Answer("\ufeff\0garbage\nUser-agent: *\nCrawl-delay: 86400\nnonsense")).of(
        SITE
    )

    assert rules.allows(f"{SITE}/a")
    assert rules.delay_s <= 10


@pytest.mark.slow
def test_rules_that_take_for_ever_cannot_be_read_now() -> None:
    agents = "".join(f"User-agent: {n}\n" for n in range(12_000))
    robots = robots_of(Answer(agents + "Disallow: /x\n" * 20_000), parse_s=0.1)

    with pytest.raises(NotFetched, match=r"robots\.txt cannot be read \(it takes too long\)"):
        robots.of(SITE)


def test_sitemaps_are_told() -> None:
    rules = robots_of(Answer("Sitemap: /a.xml\nsitemap: https://site.example/b.xml")).of(SITE)

    assert rules.sitemaps == ["/a.xml", "https://site.example/b.xml"]
