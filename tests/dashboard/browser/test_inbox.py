"""The operator answers a visitor, in the real browser, over the real server."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.upstream import Upstream
from tests.widget.axe import violations

pytestmark = [pytest.mark.browser, pytest.mark.live]

PASSWORD = "open sesame 123"
SCREENSHOTS = Path(__file__).parents[3] / "test-results" / "inbox"
DESK = {"width": 1280, "height": 850}
PHONE = {"width": 390, "height": 780}
CART = {"url": "https://shop.example/cart?step=2", "title": "Your cart"}

Open = Callable[..., Page]


class Visitor:
    """A visitor with a session of their own, over the API."""

    def __init__(self, server: Server) -> None:
        self._server = server
        opened = server.request("POST", "/v1/session", {}, x_api_key=WIDGET_KEY).json
        self.session = str(opened["sessionId"])
        self._headers = {"Authorization": f"Bearer {opened['token']}"}

    def chat(self, message: str) -> None:
        body = {"message": message, "page": CART}
        answer = self._server.request(
            "POST", "/v1/chat", body, x_api_key=WIDGET_KEY, **self._headers
        )
        assert answer.status == 200, answer.body

    def post(self, path: str, **body: Any) -> None:
        answer = self._server.request("POST", f"/v1/session/{path}", body, **self._headers)
        assert answer.status < 300, answer.body

    def said(self) -> list[tuple[str, str]]:
        told = self._server.request("GET", "/v1/session/messages", **self._headers).json
        return [(each["role"], each.get("event") or each["content"]) for each in told["messages"]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with (
        Upstream() as upstream,
        Server.over(upstream, DASHBOARD_PASSWORD=PASSWORD, OPERATOR_NAME="Ada") as server,
    ):
        yield server


@pytest.fixture(scope="module")
def cookies(browser: Browser, server: Server) -> Any:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.url}/dashboard/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def troubles() -> list[str]:
    """What the browser complained about."""
    return []


@pytest.fixture
def open_page(
    browser: Browser, cookies: Any, server: Server, troubles: list[str]
) -> Iterator[Open]:
    """Opens a page as an operator who is signed in."""
    opened: list[BrowserContext] = []

    def open_page(path: str, **options: Any) -> Page:
        options = {"viewport": DESK, "color_scheme": "light", **options}
        context = browser.new_context(storage_state=cookies, **options)
        context.set_default_timeout(15_000)
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda told: troubles.append(told.text) if told.type == "error" else 0)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(f"{server.url}/dashboard/{path}")
        return page

    yield open_page
    for context in opened:
        context.close()


@pytest.fixture
def visitor(server: Server) -> Visitor:
    """A visitor who asked for a person after a first answer."""
    visitor = Visitor(server)
    visitor.chat("Do you have it in blue?")
    visitor.post("handoff", text="I would rather ask somebody.", page=CART)
    return visitor


def thread(server: Server, visitor: Visitor) -> str:
    found = server.admin("/v1/admin/conversations?limit=50").json["conversations"]
    return f"conversations/{next(e['_id'] for e in found if e['sessionId'] == visitor.session)}"


def keep(page: Page, name: str) -> None:
    """Keep a picture for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")


def messages(page: Page) -> Any:
    return page.locator(".thread > li")


def test_who_asks_shows_up_without_a_reload(
    open_page: Open, server: Server, troubles: list[str]
) -> None:
    page = open_page("inbox")
    rows = page.locator(".rows > li")
    before = rows.count()

    for number in range(2):
        visitor = Visitor(server)
        visitor.chat("Where is my parcel?")
        visitor.post("handoff", text=f"It is number {number}.", page=CART)

    expect(rows).to_have_count(before + 2)
    expect(page).to_have_title(re.compile(r"^\(\d+\) Inbox"))
    assert violations(page) == []
    keep(page, "list")
    assert troubles == []


def test_operator_answers_with_the_keyboard(
    open_page: Open, server: Server, visitor: Visitor, troubles: list[str]
) -> None:
    page = open_page(thread(server, visitor))
    expect(page.get_by_text("The visitor waits for a person")).to_be_visible()
    box = page.get_by_label("Answer as Ada")
    assert violations(page) == []
    keep(page, "thread-waiting")

    box.fill("Hello, Ada here.")
    box.press("Control+Enter")

    expect(messages(page).last).to_contain_text("Hello, Ada here.")
    expect(messages(page).last).to_be_in_viewport(ratio=1)
    expect(page.get_by_text("You have the word")).to_be_visible()
    expect(box).to_have_value("")
    expect(box).to_be_focused()
    visitor.chat("Oh, hi! Is it blue?")
    expect(messages(page).last).to_contain_text("Is it blue?")
    box.fill("Yes.")
    page.get_by_role("button", name="Send").click()
    expect(messages(page).last).to_contain_text("Yes.")
    expect(page.get_by_text("You have the word")).to_be_in_viewport(ratio=1)
    keep(page, "thread-human")
    assert [each for each in visitor.said() if each[0] == "operator"] == [
        ("operator", "Hello, Ada here."), ("operator", "Yes."),
    ]  # fmt: skip
    assert troubles == []


def test_draft_survives_news_and_a_reload(
    open_page: Open, server: Server, visitor: Visitor
) -> None:
    page = open_page(thread(server, visitor))
    box = page.get_by_label("Answer as Ada")
    box.fill("I am still writ")

    visitor.chat("Hello?")
    expect(messages(page).last).to_contain_text("Hello?")
    expect(box).to_have_value("I am still writ")
    expect(box).to_be_focused()
    page.reload()
    expect(box).to_have_value("I am still writ")
    box.press("Control+Enter")
    expect(box).to_have_value("")
    page.reload()
    expect(box).to_have_value("")


def test_what_is_typed_while_a_reply_is_sent_is_kept(
    open_page: Open, server: Server, visitor: Visitor
) -> None:
    page = open_page(thread(server, visitor))
    held: list[Any] = []
    page.route("**/reply", lambda route: held.append(route))
    page.get_by_label("Answer as Ada").fill("The first words.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()

    page.keyboard.type(" And more.")
    held[0].continue_()
    page.unroute("**/reply")

    expect(messages(page).last).to_contain_text("The first words.")
    expect(page.get_by_label("Answer as Ada")).to_have_value("And more.")
    page.keyboard.press("Control+Enter")
    expect(messages(page).last).to_contain_text("And more.")
    assert visitor.said()[-2:] == [("operator", "The first words."), ("operator", "And more.")]


def test_reply_that_is_changed_after_its_answer_was_lost_is_said(
    open_page: Open, server: Server, visitor: Visitor
) -> None:
    def lose_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page = open_page(thread(server, visitor))
    box = page.get_by_label("Answer as Ada")
    page.route("**/reply", lose_answer)
    box.fill("At ten.")
    box.press("Control+Enter")
    expect(page.get_by_role("alert")).to_have_text(re.compile("was not sent"))

    page.unroute("**/reply")
    box.fill("At eleven.")
    box.press("Control+Enter")

    expect(messages(page).last).to_contain_text("At eleven.")
    assert visitor.said()[-2:] == [("operator", "At ten."), ("operator", "At eleven.")]


def test_reply_that_was_not_sent_is_kept(open_page: Open, server: Server, visitor: Visitor) -> None:
    page = open_page(thread(server, visitor))
    page.route("**/reply", lambda route: route.abort())
    box = page.get_by_label("Answer as Ada")

    box.fill("Lost?")
    box.press("Control+Enter")

    expect(page.get_by_role("alert")).to_have_text(re.compile("was not sent"))
    expect(box).to_have_value("Lost?")
    page.unroute("**/reply")
    box.press("Control+Enter")
    expect(messages(page).last).to_contain_text("Lost?")
    expect(page.get_by_role("alert")).to_have_text("")


def test_operator_takes_over_gives_back_and_closes(
    open_page: Open, server: Server, troubles: list[str]
) -> None:
    visitor = Visitor(server)
    visitor.chat("Hello")
    page = open_page(thread(server, visitor))

    for button, told in (
        ("Take over", "Ada took over"),
        ("Give back", "Ada gave back to the assistant"),
        ("Take over", "Ada took over"),
        ("Close", "Ada closed the conversation"),
    ):
        page.get_by_role("button", name=button).click()
        expect(messages(page).last).to_contain_text(told)

    expect(page.get_by_text("The assistant answers.")).to_be_visible()
    assert troubles == []


def test_reply_is_added_to_the_knowledge(open_page: Open, server: Server, visitor: Visitor) -> None:
    page = open_page(thread(server, visitor))
    page.get_by_label("Answer as Ada").fill("Only in green.")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("link", name="Add to knowledge").click()

    question = page.get_by_role("textbox", name="Question")
    expect(question).to_have_value("I would rather ask somebody.")
    question.fill("Do you have it in blue?")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("answered with your words")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_inbox_on_a_phone(
    open_page: Open, server: Server, visitor: Visitor, troubles: list[str], scheme: str
) -> None:
    visitor.post("contact", email="vera@site.test", name="Vera", consent=True)
    page = open_page("inbox", viewport=PHONE, color_scheme=scheme, has_touch=True)
    assert violations(page) == []
    keep(page, f"phone-list-{scheme}")

    page.goto(f"{server.url}/dashboard/{thread(server, visitor)}#people")
    page.get_by_label("Answer as Ada").fill("On my way.")
    page.get_by_role("button", name="Send").tap()

    expect(messages(page).last).to_contain_text("On my way.")
    expect(page.get_by_text("You have the word")).to_be_in_viewport(ratio=1)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
    assert violations(page) == []
    keep(page, f"phone-thread-{scheme}")
    assert troubles == []


def test_deliveries_in_the_browser(open_page: Open, visitor: Visitor, troubles: list[str]) -> None:
    page = open_page("deliveries")

    expect(page.get_by_text("conversation.waiting").first).to_be_visible()
    assert violations(page) == []
    keep(page, "deliveries")
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert troubles == []
