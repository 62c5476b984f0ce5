"""Owners' texts of any length stay inside the widget."""

import json

import pytest
from playwright.sync_api import expect

from tests.widget.conftest import Visit

SENTENCE = ("Questions? We answer in seconds, at any time of the day. " * 4)[:200]
WORD = "Donaudampfschifffahrtsgesellschaft" * 6

LEAVING = """(element) => {
    const around = element.getBoundingClientRect();
    return [...element.querySelectorAll("*")].filter((each) => {
        const box = each.getBoundingClientRect();
        const clipped = getComputedStyle(each).clipPath != "none";
        const left = around.left - box.left;
        return !clipped && box.width && Math.max(left, box.right - around.right) > 1;
    }).map((each) => each.className || each.localName);
}"""


@pytest.mark.parametrize("text", [SENTENCE, WORD], ids=["sentence", "word"])
def test_no_box_leaves_the_panel(visit: Visit, text: str) -> None:
    texts = json.dumps(dict.fromkeys(("fresh", "erase"), text))
    visitor = visit(
        title=text, welcome_message=text, input_placeholder=text, starters=text, texts=texts
    )
    visitor.open()
    visitor.menu.click()

    assert visitor.panel.evaluate(LEAVING) == []
    expect(visitor.send).to_be_in_viewport()


@pytest.mark.parametrize("text", ["Questions? We answer in seconds.", SENTENCE, WORD])
def test_a_greeting_keeps_its_close_button_inside(visit: Visit, text: str) -> None:
    visitor = visit(greeting=text)
    greeting = visitor.page.locator("perch-chat .greeting")

    assert greeting.evaluate(LEAVING) == []
    greeting.get_by_role("button", name="Close").click()
    expect(greeting).to_be_hidden()
