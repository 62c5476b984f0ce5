"""What was said before: earlier messages, other tabs' turns, and where the reader was."""

from collections.abc import Callable

import pytest
from playwright.sync_api import APIResponse, BrowserContext, Page, Route, expect

from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.site import Site
from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit
from tests.widget.visitor import Visitor

TOKEN = "Object.entries(localStorage).find(([key]) => key.startsWith('perch-token-'))[1]"
HISTORY = "**/v1/session/messages?*"
TURNS = 55


def test_earlier_messages_are_read_when_they_are_wanted(
    visit: Visit, page: Page, upstream: Upstream, server: Server, site: Site
) -> None:
    upstream.script(tokens=["Yes."])
    visitor = visit().open().ask("Turn 0").hears("Yes.")
    bearer = f"Bearer {page.evaluate(TOKEN)}"
    held = {"x_api_key": WIDGET_KEY, "authorization": bearer, "origin": site.origin}
    for turn in range(1, TURNS):
        answer = server.request("POST", "/v1/chat", {"message": f"Turn {turn}"}, **held)
        assert answer.status == 200
    page.reload()
    expect(visitor.questions).to_have_count(50)

    earlier = visitor.panel.get_by_role("button", name="Earlier messages")
    earlier.dblclick()  # once would do

    expect(visitor.questions).to_have_text([f"Turn {turn}" for turn in range(TURNS)])
    expect(earlier).to_be_hidden()
    visitor.ask("The newest")
    expect(visitor.questions).to_have_count(TURNS + 1)


def test_tabs_that_ask_at_once_both_show_both_turns(
    context: BrowserContext, site: Site, upstream: Upstream
) -> None:
    address = site.page()
    first, second = (Visitor(context.new_page()) for _ in range(2))
    upstream.script(tokens=["Yes."])
    first.page.goto(address)
    first.open().ask("Zero").hears("Yes.")
    second.page.goto(address)
    expect(second.questions).to_have_count(1)

    first.ask("One")
    second.ask("Two")

    for visitor in (first, second):
        expect(visitor.questions).to_have_count(3)
        expect(visitor.answers).to_have_text(["Yes."] * 3)


@pytest.fixture
def slow_history(page: Page) -> Callable[[], None]:
    """The next history is read, and arrives when what this returns is called."""
    read: list[tuple[Route, APIResponse]] = []

    def arrive() -> None:
        route, answer = read[0]
        route.fulfill(response=answer)

    def take(route: Route) -> None:
        if read:
            route.continue_()
        else:
            read.append((route, route.fetch()))

    page.route(HISTORY, take)
    return arrive


@pytest.fixture
def returned(visit: Visit, page: Page, upstream: Upstream) -> Visitor:
    """A visitor with one turn, who comes back."""
    upstream.script(tokens=["Yes."])
    return visit().open().ask("Zero").hears("Yes.")


def test_history_that_a_quick_turn_overtakes_takes_nothing_off_the_screen(
    returned: Visitor, page: Page, slow_history: Callable[[], None]
) -> None:
    with page.expect_request(HISTORY):
        page.reload()
    returned.ask("One").hears("Yes.")
    with page.expect_response(HISTORY):
        slow_history()

    expect(returned.questions).to_have_text(["Zero", "One"])
    expect(returned.answers).to_have_text(["Yes."] * 2)


def test_history_that_a_later_one_overtakes_takes_nothing_off_the_screen(
    returned: Visitor, page: Page, context: BrowserContext, slow_history: Callable[[], None]
) -> None:
    other = Visitor(context.new_page())
    other.page.goto(page.url)
    expect(other.questions).to_have_text(["Zero"])
    with page.expect_request(HISTORY):
        page.reload()
    other.ask("One").hears("Yes.")
    expect(returned.questions).to_have_text(["Zero", "One"])
    with page.expect_request(HISTORY):  # what came too late is read again
        slow_history()

    expect(returned.questions).to_have_text(["Zero", "One"])


def test_history_of_the_conversation_before_is_not_shown_in_a_new_one(
    returned: Visitor, page: Page, slow_history: Callable[[], None]
) -> None:
    with page.expect_request(HISTORY):
        page.reload()
    expect(returned.input).to_be_visible()
    returned.call("reset")
    with page.expect_response(HISTORY):
        slow_history()
    returned.ask("One").hears("Yes.")

    expect(returned.questions).to_have_text(["One"])


def test_a_body_that_is_replaced_leaves_the_reader_where_they_were(
    visit: Visit, page: Page, upstream: Upstream
) -> None:
    upstream.script(tokens=[f"Line {line}\n\n" for line in range(60)])
    visitor = visit().open().ask("Tell")
    expect(visitor.log).to_contain_text("Line 59")
    expect(visitor.button("Answer again")).to_be_visible()
    visitor.log.hover()
    visitor.log.evaluate("(log) => log.scrollTo(0, 300)")
    expect(visitor.panel.get_by_role("button", name="Latest message")).to_be_visible()

    page.evaluate("document.body.replaceWith(document.createElement('body'))")

    expect(visitor.log).to_be_visible()
    assert visitor.log.evaluate("(log) => log.scrollTop") == 300
    assert visitor.host.evaluate("(host) => host.shadowRoot.getAnimations().length") == 0


def test_a_double_click_deletes_nothing(visit: Visit, upstream: Upstream, page: Page) -> None:
    upstream.script(tokens=["Yes."])
    visitor = visit().open().ask("Keep me").hears("Yes.")
    visitor.menu.click()

    visitor.button("Delete my conversation").dblclick()
    expect(visitor.button("Delete for good?")).to_be_visible()
    visitor.input.click()

    expect(visitor.button("Delete for good?")).to_be_hidden()
    expect(visitor.questions).to_have_text(["Keep me"])
