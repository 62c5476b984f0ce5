"""Gate 12: Esc, focus, phones, and the keyboard alone."""

from playwright.sync_api import Page, expect

from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit
from tests.widget.visitor import Visitor

FOCUSED = "document.activeElement.localName"
FOCUSED_WITHIN = "document.activeElement.shadowRoot?.activeElement?.className"


def test_the_keyboard_alone_is_enough(visit: Visit, upstream: Upstream) -> None:
    upstream.script(tokens=["Yes, see [this](https://x.test)."])
    visitor = visit()
    keys = visitor.page.keyboard

    for _ in range(2):
        keys.press("Tab")
    assert visitor.page.evaluate(FOCUSED_WITHIN) == "launcher"
    keys.press("Enter")
    expect(visitor.input).to_be_focused()
    keys.type("Is it?")
    keys.press("Shift+Enter")
    keys.type("Really?")
    keys.press("Enter")
    visitor.hears("Yes, see this.")
    expect(visitor.questions).to_have_text(["Is it?\nReally?"], use_inner_text=True)
    expect(visitor.input).to_be_focused()

    reached = set()
    for _ in range(12):
        keys.press("Shift+Tab")
        reached.add(
            visitor.page.evaluate(
                "(() => { const e = document.activeElement.shadowRoot?.activeElement;"
                " return e && (e.title || e.className || e.localName); })()"
            )
        )
    assert {"log", "a", "Copy", "Good answer", "Answer again", "Menu", "Close"} <= reached


def test_escape_closes_first_the_menu_then_the_widget_and_focus_returns(visit: Visit) -> None:
    visitor = visit().open()
    fresh = visitor.panel.get_by_role("button", name="New conversation")

    visitor.menu.click()
    expect(fresh).to_be_visible()
    visitor.page.keyboard.press("Escape")
    expect(fresh).to_be_hidden()
    visitor.page.keyboard.press("Escape")

    expect(visitor.panel).to_be_hidden()
    expect(visitor.launcher).to_be_focused()
    expect(visitor.launcher).to_have_attribute("aria-expanded", "false")


def test_on_a_phone_it_fills_the_screen_and_tab_stays_inside(page: Page, visit: Visit) -> None:
    page.set_viewport_size({"width": 375, "height": 667})
    page.emulate_media(reduced_motion="reduce")
    visitor = visit().open()

    assert visitor.panel.bounding_box() == {"x": 0, "y": 0, "width": 375, "height": 667}
    assert visitor.input.evaluate("(e) => getComputedStyle(e).fontSize") == "16px"
    for key in ("Tab", "Shift+Tab"):
        for _ in range(8):
            page.keyboard.press(key)
            # The body stands for the browser's own bars.
            assert page.evaluate(FOCUSED) in ("perch-chat", "body")
    visitor.page.keyboard.press("Escape")
    expect(visitor.launcher).to_be_focused()


def test_a_window_that_becomes_small_takes_the_open_widget_along(page: Page, visit: Visit) -> None:
    visitor = visit().open()
    visitor.input.fill("A draft")

    page.set_viewport_size({"width": 375, "height": 667})
    expect(visitor.panel).to_have_css("width", "375px")
    page.set_viewport_size({"width": 1000, "height": 760})

    expect(visitor.panel).to_have_css("width", "400px")
    expect(visitor.input).to_have_value("A draft")


def test_the_pages_shortcuts_do_not_hear_what_is_typed(visit: Visit) -> None:
    visitor = visit().open()
    visitor.page.evaluate(
        "window.heard = []; for (const type of ['keydown', 'keypress', 'keyup'])"
        " document.addEventListener(type, (event) => heard.push(event.key))"
    )

    visitor.input.press_sequentially("s/")

    expect(visitor.input).to_have_value("s/")
    assert visitor.page.evaluate("heard") == []


def test_a_finished_answer_is_spoken_once(visit: Visit, upstream: Upstream) -> None:
    upstream.script(tokens=["One", " **two**"], fault="stall", at=1)
    visitor = visit().open().ask("Count")
    status = visitor.page.get_by_role("status")
    expect(visitor.answers).to_have_text(["One"])
    expect(status).to_have_text("")

    upstream.release()

    expect(status).to_have_text("One two")
    expect(visitor.log).to_have_attribute("aria-live", "off")


def test_nothing_moves_for_those_who_want_it_so(page: Page, visit: Visit) -> None:
    page.emulate_media(reduced_motion="reduce")
    visitor = visit().open()

    assert visitor.host.evaluate("(host) => host.shadowRoot.getAnimations().length") == 0


def test_a_text_that_is_too_long_is_counted_and_kept(visit: Visit, upstream: Upstream) -> None:
    visitor: Visitor = visit().open()
    visitor.input.fill("x" * 4012)

    expect(visitor.page.locator("perch-chat .count")).to_have_text("-12")
    expect(visitor.send).to_be_disabled()
    visitor.input.press("Enter")

    expect(visitor.input).to_have_value("x" * 4012)
    assert upstream.requests == []
