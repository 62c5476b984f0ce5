"""The panel's own lazy files: when each comes, what is seen until then, and where it does not."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.servers.scripted_answers import ScriptedAnswers, done, sources, token
from tests.servers.site import Site
from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit
from tests.widget.test_size import PARTS
from tests.widget.visitor import Visitor

MARKDOWN = re.compile(r"/widget/markdown\.")
SOURCES = re.compile(r"/widget/sources\.")
PART = re.compile(r"/widget/(\w+)\.[0-9a-f]{8}\.js")
SELECT = """(text) => {
    const node = document.createTreeWalker(text, NodeFilter.SHOW_TEXT).nextNode();
    const at = node.data.indexOf("words");
    getSelection().setBaseAndExtent(node, at, node, at + 5);
}"""
SELECTED = "(text) => text.getRootNode().getSelection().toString()"
WATCH = """() => {
    window.seen = [];
    const root = document.querySelector("perch-chat").shadowRoot;
    const note = () => {
        const text = root.querySelector(".log")?.innerText ?? "";
        if (text != seen.at(-1)) seen.push(text);
        requestAnimationFrame(note);
    };
    note();
}"""


@pytest.fixture
def fetched(page: Page) -> list[str]:
    """Names the files that the launcher and the panel fetch."""
    names: list[str] = []

    def note(request: Request) -> None:
        if part := PART.search(request.url):
            names.append(part[1])

    page.on("request", note)
    return names


@pytest.fixture
def held_back(page: Page) -> list[Route]:
    """Keeps what reads Markdown from coming, until its test lets it go on."""
    waiting: list[Route] = []
    page.route(MARKDOWN, lambda route: waiting.append(route))
    return waiting


def test_opening_and_typing_fetch_the_panel_alone_and_asking_what_reads_markdown(
    visit: Visit, upstream: Upstream, fetched: list[str]
) -> None:
    upstream.script(tokens=["**Yes.**"])
    visitor = visit().open()
    visitor.input.fill("May I?")
    assert fetched == ["panel"]

    visitor.input.press("Enter")
    visitor.hears("Yes.")

    expect(visitor.answers.locator("strong")).to_have_text("Yes.")
    assert fetched == ["panel", "markdown"]


def test_an_answer_is_plain_text_until_it_can_be_read(
    visit: Visit, upstream: Upstream, held_back: list[Route]
) -> None:
    upstream.script(tokens=["Some **words**\n\n- here", " and there"], fault="stall", at=1)
    visitor = visit().open().ask("Where?")

    expect(visitor.answers).to_have_text("Some **words** - here")
    upstream.release()
    expect(visitor.answers).to_have_text("Some **words** - here and there")
    held_back[0].continue_()

    expect(visitor.answers.locator("strong")).to_have_text("words")
    expect(visitor.answers.locator("li")).to_have_text("here and there")


def test_what_a_visitor_marks_in_plain_text_stays_marked_until_they_let_it_go(
    visit: Visit, page: Page, upstream: Upstream, held_back: list[Route]
) -> None:
    upstream.script(tokens=["Some **words**", " and more"], fault="stall", at=1)
    visitor = visit().open().ask("What?")
    expect(visitor.answers).to_have_text("Some **words**")
    visitor.answers.evaluate(SELECT)

    with page.expect_response(MARKDOWN):
        held_back[0].continue_()
    upstream.release()
    expect(visitor.button("Answer again")).to_be_visible()

    assert visitor.answers.evaluate(SELECTED) == "words"
    page.evaluate("getSelection().empty()")
    expect(visitor.answers.locator("strong")).to_have_text("words")


def test_what_was_stored_is_never_seen_unread(visit: Visit, page: Page, upstream: Upstream) -> None:
    upstream.script(tokens=["Some **words**."])
    visitor = visit().open().ask("What?").hears("Some words.")
    page.add_init_script(f"addEventListener('perch:ready', {WATCH})")

    page.reload()
    expect(visitor.answers.locator("strong")).to_have_text("words")

    assert "**" not in "".join(page.evaluate("seen"))


def test_where_it_does_not_come_answers_stay_readable_and_it_is_asked_for_again(
    visit: Visit, page: Page, upstream: Upstream, fetched: list[str]
) -> None:
    page.route(MARKDOWN, lambda route: route.abort())
    page.clock.install()
    upstream.script(tokens=["Some **words**."])
    visitor = visit().open().ask("What?").hears("Some **words**.")
    expect(visitor.notice).to_be_hidden()
    assert fetched.count("markdown") == 1
    page.unroute(MARKDOWN)

    page.clock.run_for(6_000)
    visitor.ask("And now?")

    expect(visitor.answers.locator("strong")).to_have_text(["words", "words"])


@pytest.fixture
def answers() -> Iterator[ScriptedAnswers]:
    with ScriptedAnswers() as answers:
        yield answers


def test_sources_come_where_an_answer_has_some(
    page: Page, answers: ScriptedAnswers, fetched: list[str]
) -> None:
    source = {"n": 1, "title": "Hours", "url": "https://shop.test/hours"}
    answers.next(token("Hello [1]."), done("Hello [1]."))
    said = "From ten [1]."
    with Site(answers.url) as site:
        page.goto(site.page())
        visitor = Visitor(page).open().ask("Hello?").hears("Hello [1].")
        assert fetched == ["panel", "markdown"]

        answers.next(sources([source]), token(said), done(said, sources=[source]))
        visitor.ask("When?").hears(said)

        expect(visitor.answers.last.locator("sup a")).to_have_attribute("href", source["url"])
        expect(visitor.panel.get_by_role("list", name="Sources")).to_contain_text("1 Hours")
        assert fetched == ["panel", "markdown", "sources"]


def test_without_what_shows_sources_no_other_page_is_linked(
    page: Page, answers: ScriptedAnswers
) -> None:
    source = {"n": 1, "title": "Hours", "url": "https://shop.test/hours"}
    said = "From [1], [ten](https://evil.test/) [**o'clock**](https://shop.test/b)"
    page.route(SOURCES, lambda route: route.abort())
    answers.next(sources([source]), token(said), done(said, sources=[source]))
    with Site(answers.url) as site:
        page.goto(site.page())
        visitor = Visitor(page).open().ask("When?").hears("From [1], ten o'clock")

        links = visitor.answers.locator("a").evaluate_all("(all) => all.map((a) => a.href)")
        assert links == ["https://shop.test/b"]


def test_a_panel_of_another_edition_draws_with_the_parts_that_there_are(
    visit: Visit, page: Page, upstream: Upstream
) -> None:
    upstream.script(tokens=["**Yes.**"])

    def of_another_edition(route: Route) -> None:
        response = route.fetch()
        body = response.text()
        for part in PARTS:
            body = body.replace(part.name, f"{part.name.split('.')[0]}.01234567.js")
        route.fulfill(response=response, body=body)

    page.route(re.compile(r"/widget/panel\."), of_another_edition)

    visit().open().ask("Do you know me?").hears("Yes.")
