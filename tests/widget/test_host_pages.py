"""Pages that scroll, trap, transform, print and hide: the widget stands and is used on each."""

import pytest
from playwright.sync_api import Page, expect

from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit

TALL = "<div style='height:4000px'></div>"
CORNER = {"x": 924, "y": 684, "width": 56, "height": 56}


@pytest.mark.parametrize(
    "style",
    ["transform: scale(1)", "filter: opacity(1)", "will-change: transform", "perspective: 9px",
     "contain: layout", "backdrop-filter: blur(0)"],
)  # fmt: skip
@pytest.mark.parametrize("element", ["body", "html"])
def test_no_containing_block_moves_it(visit: Visit, page: Page, element: str, style: str) -> None:
    visitor = visit(f"<style>{element} {{ {style} }}</style>{TALL}")
    page.evaluate("scrollTo(0, 700)")

    assert visitor.launcher.bounding_box() == CORNER


def test_a_zoomed_page_keeps_the_header_on_the_screen(visit: Visit) -> None:
    visitor = visit("<style>html { zoom: 1.25 }</style>").open()

    expect(visitor.panel.get_by_role("button", name="Close")).to_be_in_viewport()
    expect(visitor.send).to_be_in_viewport()


def test_scripts_that_scroll_and_close_do_not_hear_the_panel(visit: Visit, page: Page) -> None:
    visitor = visit(TALL).open()
    page.evaluate(
        "window.heard = []; for (const name of ['wheel', 'pointerdown', 'mousedown', 'focusin'])"
        " document.addEventListener(name, () => heard.push(name))"
    )

    visitor.input.click()
    page.mouse.wheel(0, 50)
    visitor.menu.click()

    assert page.evaluate("heard") == []


def test_a_dialog_of_the_page_that_traps_the_focus_lets_one_type(visit: Visit, page: Page) -> None:
    visitor = visit("<div id=trap><input id=field></div>").open()
    page.evaluate(
        "document.addEventListener('focusin', ({ target }) =>"
        " document.querySelector('#trap').contains(target) || field.focus())"
    )
    page.locator("#field").click()

    visitor.input.click()
    page.keyboard.type("Hello")

    expect(visitor.input).to_have_value("Hello")
    expect(page.locator("#field")).to_have_value("")


def test_nothing_of_it_is_printed(visit: Visit, page: Page) -> None:
    visitor = visit().open()
    page.emulate_media(media="print")

    expect(visitor.launcher).to_be_hidden()
    expect(visitor.panel).to_be_hidden()


def test_owners_hide_it_or_its_button(visit: Visit, page: Page) -> None:
    visitor = visit(launcher="off")
    expect(visitor.launcher).to_be_hidden()
    visitor.call("open")
    expect(visitor.input).to_be_visible()

    page.evaluate("document.querySelector('perch-chat').hidden = true")

    expect(visitor.panel).to_be_hidden()


def test_a_greeting_that_was_dismissed_stays_away(visit: Visit, page: Page) -> None:
    visit(greeting="Questions?")
    greeting = page.locator("perch-chat .greeting")
    greeting.get_by_role("button", name="Close").click()

    page.reload()

    expect(page.locator("perch-chat .launcher")).to_be_visible()
    expect(greeting).to_have_count(0)


def test_a_phone_is_not_covered_by_the_load_of_a_page(visit: Visit, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})

    visitor = visit(open="true")

    expect(visitor.launcher).to_be_visible()
    expect(visitor.panel).to_be_hidden()


def test_an_image_that_does_not_come_is_our_icon(visit: Visit) -> None:
    visitor = visit(launcher_icon="data:image/png,broken")

    expect(visitor.launcher.locator("svg:visible")).to_have_count(1)
    expect(visitor.launcher.locator("img")).to_have_count(0)


def test_a_long_address_and_title_do_not_refuse_a_question(
    visit: Visit, page: Page, upstream: Upstream
) -> None:
    upstream.script(tokens=["Yes."])
    visitor = visit()
    page.evaluate("history.replaceState(0, '', '?q=' + 'x'.repeat(3000))")
    page.evaluate("document.title = 'A long title. '.repeat(40)")

    visitor.open().ask("Hello?").hears("Yes.")
