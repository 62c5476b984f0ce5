"""A tag manager's array hears what happens in the widget, and nothing of what is said."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit

HAND_OVER = """(states) => {
    const host = document.querySelector("perch-chat");
    for (const state of states)
        host.dispatchEvent(new CustomEvent("perch:handoff", { bubbles: true, detail: { state } }));
}"""


def told(page: Page, layer: str = "dataLayer") -> list[str]:
    """Return the names of what an array was told."""
    found: list[str] = page.evaluate(f"(window.{layer} || []).map(({{ event }}) => event)")
    return found


def test_it_is_told_of_what_happens_and_never_of_what_is_said(
    visit: Visit, page: Page, upstream: Upstream
) -> None:
    upstream.script(tokens=["An answer."])
    visitor = visit(datalayer="on", title="Support").open().ask("A question").hears("An answer.")
    visitor.call("close")
    visitor.call("open")

    names = ["perch_opened", "perch_asked", "perch_answered", "perch_opened"]
    assert page.evaluate("dataLayer") == [
        {"event": name, "perch_assistant": "Support"} for name in names
    ]
    assert "question" not in json.dumps(page.evaluate("dataLayer"))


@pytest.mark.parametrize("value", ["off", "false", "", " "])
def test_it_is_told_of_nothing_unless_wanted(visit: Visit, page: Page, value: str) -> None:
    visitor = visit(datalayer=value).open()

    expect(visitor.input).to_be_focused()
    assert page.evaluate("'dataLayer' in window") is False


def test_another_array_may_be_named(visit: Visit, page: Page) -> None:
    visitor = visit(datalayer="layer").open()

    expect(visitor.input).to_be_focused()
    assert told(page, "layer") == ["perch_opened"]


def test_a_page_that_was_left_open_is_not_opened_again(visit: Visit, page: Page) -> None:
    visitor = visit(datalayer="on").open()
    expect(visitor.input).to_be_focused()

    page.reload()

    expect(visitor.input).to_be_visible()
    page.wait_for_function("() => document.querySelector('perch-chat').shadowRoot")
    assert told(page) == []


def test_a_person_is_told_of_once_for_each_time_that_one_was_asked_for(
    visit: Visit, page: Page
) -> None:
    expect(visit(datalayer="on", open="true").input).to_be_visible()

    page.evaluate(HAND_OVER, ["waiting", "human", "bot", "waiting"])

    assert told(page) == ["perch_handed_over"] * 2


def test_a_conversation_that_a_person_has_is_not_handed_over_by_a_reload(
    visit: Visit, page: Page
) -> None:
    expect(visit(datalayer="on", open="true").input).to_be_visible()
    page.evaluate(
        """() => {
            const name = Object.keys(localStorage).find((key) => key.startsWith("perch-open-"));
            localStorage[name.replace("open", "handoff")] = "human 3 0";
        }"""
    )
    # The server would say that no person has it.
    page.route("**/people.*", lambda route: route.abort())
    page.reload()
    expect(page.locator("perch-chat .input")).to_be_visible()

    page.evaluate(HAND_OVER, ["human", "bot"])

    assert told(page) == []


def test_a_name_that_is_taken_does_no_harm(visit: Visit, page: Page, upstream: Upstream) -> None:
    upstream.script(tokens=["Yes."])
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    visit("<i id=dataLayer></i>", datalayer="on").open().ask("Really?").hears("Yes.")

    assert errors == []
