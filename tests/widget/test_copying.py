"""Answers are copied, also on pages that have no clipboard or are denied it."""

import pytest
from playwright.sync_api import Page, expect

from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit

# Over plain http there is none; a frame without the permission is refused.
CLIPBOARDS = [
    "undefined",
    "{ writeText: () => Promise.reject(new DOMException('No', 'NotAllowedError')) }",
]
DEFINE = "Object.defineProperty(navigator, 'clipboard', {{ value: {} }})"


@pytest.mark.parametrize("clipboard", CLIPBOARDS, ids=["none", "denied"])
def test_a_page_without_a_clipboard_copies_a_selection(
    visit: Visit, page: Page, upstream: Upstream, clipboard: str
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(DEFINE.format(clipboard))
    upstream.script(tokens=["Do **this**"])
    visitor = visit().open().ask("How?").hears("Do this")

    visitor.button("Copy").click()
    expect(visitor.button("Copied")).to_be_focused()
    visitor.input.press("ControlOrMeta+v")

    expect(visitor.input).to_have_value("Do **this**")
    assert errors == []


def test_what_no_browser_copies_is_not_said_to_be(
    visit: Visit, page: Page, upstream: Upstream
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(DEFINE.format(CLIPBOARDS[0]) + "; document.execCommand = () => false")
    upstream.script(tokens=["Yes."])
    visitor = visit().open().ask("How?").hears("Yes.")

    visitor.button("Copy").click()

    expect(visitor.button("Copy")).to_be_focused()
    expect(visitor.button("Copied")).to_have_count(0)
    assert errors == []
