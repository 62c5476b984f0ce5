"""Phones: the widget fills the screen, and the page below stays as it was."""

from playwright.sync_api import Page, expect

from tests.widget.conftest import Visit

TALL = "<div style='height:4000px'></div>"
PHONE = {"width": 390, "height": 844}


def test_opened_on_a_scrolled_page_it_covers_the_screen_and_scrolls_nothing(
    page: Page, visit: Visit
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    visitor = visit(TALL)
    page.evaluate("scrollTo(0, 1000)")

    visitor.open()

    expect(visitor.panel).to_have_css("position", "fixed")
    assert page.evaluate("scrollY") == 1000
    page.emulate_media(reduced_motion="reduce")
    assert visitor.panel.bounding_box() == {"x": 0, "y": 0, **PHONE}


def test_variables_of_the_page_do_not_size_it(page: Page, visit: Visit) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(reduced_motion="reduce")
    visitor = visit("<style>:root { --top: 90px; --height: 20px }</style>").open()

    assert visitor.panel.bounding_box() == {"x": 0, "y": 0, **PHONE}
