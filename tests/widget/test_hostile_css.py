"""Gate 4: the page's style sheet does not reach the widget, nor the widget's the page."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.servers.site import PAGE, Site
from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit
from tests.widget.visitor import Visitor

HOSTILE = """<style>
  * {
    all: unset !important; display: block !important; position: static !important;
    margin: 30px !important; padding: 30px !important; border: 9px dashed lime !important;
    width: 50px !important; height: 50px !important; float: left !important;
    color: red !important; background: yellow !important; font: italic 40px/3 cursive !important;
    letter-spacing: 9px !important; word-spacing: 9px !important; text-align: right !important;
    text-transform: uppercase !important; text-indent: 50px !important; direction: rtl !important;
    visibility: hidden !important; opacity: 0.2 !important; cursor: wait !important;
    box-sizing: content-box !important; white-space: pre !important; z-index: 1 !important;
    pointer-events: none !important; user-select: none !important; animation: none !important;
  }
  perch-chat, perch-chat * { display: none !important; }
  html { font-size: 3px !important; }
</style>"""

# Every computed property of every element under a root, and of no element outside of it.
STYLES = """(root) => [...root.querySelectorAll("*")].map((element) => {
    const style = getComputedStyle(element);
    return [element.tagName + "." + element.getAttribute("class"),
            Object.fromEntries([...style].map((name) => [name, style.getPropertyValue(name)]))];
})"""


def styles_of_widget(visitor: Visitor, answer: str = "Yes and no") -> list[Any]:
    """Return the computed styles of all elements, after an answer that is shown so."""
    visitor.open().ask("How?").hears(answer)
    visitor.page.wait_for_function(
        "document.querySelector('perch-chat').shadowRoot.getAnimations().every("
        "(animation) => animation.playState == 'finished' || animation.effect.target.matches('i'))"
    )
    found: list[Any] = visitor.host.evaluate(f"(host) => ({STYLES})(host.shadowRoot)")
    return found


def test_a_hostile_style_sheet_changes_no_computed_style_of_the_widget(
    visit: Visit, upstream: Upstream
) -> None:
    upstream.script(tokens=["**Yes** and ", "[no](https://no.test)"])
    plain = styles_of_widget(visit())
    visitor = visit(HOSTILE)
    visitor.page.evaluate("localStorage.clear()")
    visitor.page.reload()

    hostile = styles_of_widget(visitor)

    changed = [
        (name, key, before[key], value)
        for (name, before), (_, after) in zip(plain, hostile, strict=True)
        for key, value in after.items()
        if before[key] != value
    ]
    assert len(plain) > 40
    assert changed == []


def test_the_widget_changes_no_computed_style_of_the_page(
    page: Page, site: Site, upstream: Upstream
) -> None:
    body = "<form><input><button>Go</button></form><ul><li>a</ul><table><tr><td>b</table><i>c</i>"
    page.goto(site.add(PAGE.format(body=body, script="<script></script>")))
    before = page.evaluate(f"() => ({STYLES})(document.body.firstElementChild)")

    page.goto(site.page(body))
    visitor = Visitor(page).open()
    expect(visitor.input).to_be_focused()
    after = page.evaluate(f"() => ({STYLES})(document.body.firstElementChild)")

    assert len(before) > 8
    assert after == before
