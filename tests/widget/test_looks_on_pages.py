"""Gate 17: on each of a set of host pages the widget chats, and looks as it does alone."""

from collections.abc import Iterator
from html import escape

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from tests.servers.perch import Server
from tests.servers.site import PAGE, Site, tag
from tests.servers.upstream import Upstream
from tests.widget.browser import FLAGS, chromium
from tests.widget.conftest import Visit
from tests.widget.test_hostile_css import styles_of_widget
from tests.widget.visitor import Visitor

ANSWER = "**Yes** and [no](https://no.test)\n\n- `one`\n- two\n\n|a|b|\n|-|-|\n|c|d|"
SHOWN = "Yes and noonetwoabcd"
MEYER = """html, body, div, h1, h2, h3, p, blockquote, pre, a, code, em, img, strong, sub, sup,
    b, i, dl, dt, dd, ol, ul, li, fieldset, form, label, table, tbody, thead, tr, th, td, details,
    summary, header, time { margin: 0; padding: 0; border: 0; font-size: 100%; font: inherit;
      vertical-align: baseline }
    ol, ul { list-style: none } table { border-collapse: collapse; border-spacing: 0 }"""
PREFLIGHT = """*, ::before, ::after, ::backdrop { box-sizing: border-box; margin: 0; padding: 0;
      border: 0 solid }
    html { line-height: 1.5; tab-size: 4; font-family: ui-sans-serif }
    button, input, textarea { font: inherit; letter-spacing: inherit; color: inherit;
      border-radius: 0; background-color: transparent; opacity: 1 }
    img, svg { display: block; vertical-align: middle; max-width: 100%; height: auto }
    ol, ul, menu { list-style: none } table { border-collapse: collapse; text-indent: 0 }"""
STYLES = {
    "62.5 % fonts": "html { font-size: 62.5% } body { font: 1.6rem/1.2 Georgia; color: #fff }",
    "Meyer's reset": MEYER,
    "Tailwind's preflight": PREFLIGHT,
    "everything unset": "* { all: unset } dialog, button, textarea { display: none; width: 3px }",
    "a transform": "body { transform: scale(1) translateX(0) }",
    "a filter": "body { filter: grayscale(1) }",
    "large letters": "body { zoom: 1; font-size: 40px; letter-spacing: 3px; text-align: center }",
}


@pytest.fixture(scope="module")
def looks() -> list[object]:
    """What ``alone`` found for the first test."""
    return []


@pytest.fixture
def alone(visit: Visit, page: Page, upstream: Upstream, looks: list[object]) -> list[object]:
    """The computed styles of the widget on a page without any, after one answer."""
    upstream.script(tokens=[ANSWER])
    if not looks:
        looks.extend(styles_of_widget(visit(), SHOWN))
        page.evaluate("localStorage.clear()")
    return looks


@pytest.mark.parametrize("host", STYLES)
def test_it_chats_and_looks_as_alone(visit: Visit, alone: list[object], host: str) -> None:
    visitor = visit(f"<style>{STYLES[host]}</style>")

    assert styles_of_widget(visitor, SHOWN) == alone


def test_a_sandboxed_frame_without_an_origin_has_it(
    page: Page, site: Site, upstream: Upstream
) -> None:
    upstream.script(tokens=[ANSWER])
    inner = PAGE.format(body="", script=tag(site.server_url))
    frame = f"<iframe sandbox='allow-scripts' width=500 height=700 srcdoc='{escape(inner)}'>"
    page.goto(site.add(PAGE.format(body=frame, script="")))
    inside = page.frame_locator("iframe")

    inside.locator("perch-chat .launcher").click()
    field = inside.locator("perch-chat .input")
    field.fill("May you?")
    field.press("Enter")

    expect(inside.locator("perch-chat .list > .answer > .text")).to_have_text(SHOWN)


# What a translator of pages does, again and again: each text goes into two elements of its own.
TRANSLATE = """(host) => {
    const wrap = (root) => {
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        const texts = [];
        while (walker.nextNode()) texts.push(walker.currentNode);
        for (const text of texts) {
            if (text.parentNode.localName == "font" || !text.data.trim()) continue;
            const [outer, inner] = [0, 0].map(() => document.createElement("font"));
            text.replaceWith(outer);
            outer.append(inner);
            inner.append(text.data);
        }
    };
    wrap(host.shadowRoot);
    new MutationObserver(() => wrap(host.shadowRoot))
        .observe(host.shadowRoot, { childList: true, subtree: true, characterData: true });
}"""


def test_a_translator_that_wraps_texts_does_no_harm(
    visit: Visit, page: Page, upstream: Upstream
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    words = [f"word{number} " for number in range(40)]
    upstream.script(tokens=[*words, "\n\n- **one**\n", "- two"], gap_ms=5)
    visitor = visit().open()
    visitor.host.evaluate(TRANSLATE)

    visitor.ask("First?").hears("".join(words).strip() + "one" + "two")
    visitor.ask("Second?").hears("".join(words).strip() + "one" + "two", 1)

    expect(visitor.questions).to_have_text(["First?", "Second?"])
    expect(visitor.answers.nth(1).locator("li")).to_have_text(["one", "two"])
    expect(visitor.answers.locator("font").first).to_be_visible()
    assert errors == []


@pytest.fixture
def returning(playwright: Playwright) -> Iterator[BrowserContext]:
    """A browser that keeps pages to come back to, as those of visitors do."""
    browser: Browser = playwright.chromium.launch(
        executable_path=chromium(), args=FLAGS,
        ignore_default_args=["--disable-back-forward-cache"],
    )  # fmt: skip
    yield browser.new_context()
    browser.close()


def test_a_page_that_comes_back_from_the_browsers_cache_chats_on(
    returning: BrowserContext, site: Site, server: Server, upstream: Upstream
) -> None:
    upstream.script(tokens=["Yes."])
    page = returning.new_page()
    page.goto(site.page(open="true"))
    page.evaluate("addEventListener('pageshow', (event) => (window.kept = event.persisted))")
    visitor = Visitor(page).ask("First?").hears("Yes.")
    visitor.input.fill("half a quest")

    page.goto(site.add(PAGE.format(body="", script="")))
    page.go_back(wait_until="commit")
    page.wait_for_function("window.kept")

    expect(visitor.input).to_have_value("half a quest")
    expect(visitor.host).to_have_count(1)
    visitor.ask("Second?").hears("Yes.", 1)
    expect(visitor.questions).to_have_text(["First?", "Second?"])


def test_a_page_whose_whole_document_is_replaced_keeps_the_conversation(
    visit: Visit, page: Page, upstream: Upstream
) -> None:
    upstream.script(tokens=["Yes."])
    visitor = visit().open().ask("First?").hears("Yes.")
    visitor.input.fill("half")

    page.evaluate(
        """() => {
            const html = document.createElement("html");
            html.append(document.createElement("head"), document.createElement("body"));
            document.replaceChild(html, document.documentElement);
        }"""
    )

    expect(visitor.input).to_be_focused()
    expect(visitor.input).to_have_value("half")
    visitor.ask("Second?").hears("Yes.", 1)
