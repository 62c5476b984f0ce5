"""The operator's pages in the real browser, over the real server."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.servers.perch import Server
from tests.servers.upstream import Upstream
from tests.widget.axe import violations

pytestmark = [pytest.mark.browser, pytest.mark.live]

PASSWORD = "open sesame 123"
SCREENSHOTS = Path(__file__).parents[3] / "test-results" / "dashboard"
DESK = {"width": 1200, "height": 850}
PHONE = {"width": 390, "height": 780}
CONVERSATIONS = 53
SHOP = {"url": "https://shop.example/cart", "title": "Your cart"}

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def server(upstream: Upstream) -> Iterator[Server]:
    """A server with two pages of conversations."""
    with Server.over(upstream, DASHBOARD_PASSWORD=PASSWORD) as server:
        for number in range(CONVERSATIONS):
            server.chat(f"Question {number}", f"session-{number:02}")
        server.chat("Where is my **refund**?", "refund", page=SHOP)
        yield server


@pytest.fixture(scope="module")
def cookies(browser: Browser, server: Server) -> Any:
    """One sign-in for all: the door lets five in five minutes try."""
    context = browser.new_context()
    sign_in(context.new_page(), server)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def contexts(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    opened: list[BrowserContext] = []

    def open_context(**options: Any) -> BrowserContext:
        context = browser.new_context(**{"viewport": DESK, "color_scheme": "light", **options})
        context.set_default_timeout(15_000)
        opened.append(context)
        return context

    yield open_context
    for context in opened:
        context.close()


@pytest.fixture
def troubles() -> list[str]:
    """What the browser complained about."""
    return []


@pytest.fixture
def open_page(
    contexts: Callable[..., BrowserContext], cookies: Any, server: Server, troubles: list[str]
) -> Open:
    """Opens a page as an operator who is signed in."""

    def open_page(path: str, **options: Any) -> Page:
        page = contexts(storage_state=cookies, **options).new_page()
        page.on("console", lambda told: troubles.append(told.text) if told.type == "error" else 0)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(f"{server.url}/dashboard/{path}")
        return page

    return open_page


def sign_in(page: Page, server: Server, password: str = PASSWORD) -> None:
    page.goto(f"{server.url}/dashboard/")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def rows(page: Page) -> Any:
    return page.locator(".rows > li")


def keep(page: Page, name: str) -> None:
    """Keep a picture for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True, animations="disabled")


def test_operator_signs_in_and_out(contexts: Callable[..., BrowserContext], server: Server) -> None:
    page = contexts().new_page()
    sign_in(page, server, "open onion")
    expect(page.get_by_role("alert")).to_have_text("That is not the password.")
    keep(page, "door")

    sign_in(page, server)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"{server.url}/dashboard/settings")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_overview_shows_what_happened(open_page: Open, troubles: list[str]) -> None:
    page = open_page("?span=24h")

    expect(page.locator(".tile").first).to_contain_text(re.compile(r"Conversations\s*[5-9]\d"))
    expect(page.get_by_role("img")).to_have_count(4)
    page.get_by_role("link", name="30 days").click()
    expect(page.get_by_role("link", name="30 days")).to_have_attribute("aria-current", "true")
    page.get_by_text("As a table").first.click()
    expect(page.get_by_role("table").first).to_contain_text("Answered")
    assert troubles == []


def test_conversations_are_searched_and_filtered_while_one_types(
    open_page: Open, troubles: list[str]
) -> None:
    page = open_page("conversations")
    expect(rows(page)).to_have_count(50)

    page.get_by_label("Search what was said").fill("refund")
    expect(rows(page)).to_have_count(1)
    expect(page).to_have_url(re.compile("q=refund"))
    page.get_by_label("Search what was said").fill("")
    expect(rows(page)).to_have_count(50)
    page.get_by_text("Filters").click()
    page.get_by_label("Page begins with").fill("https://shop.example/")
    page.get_by_label("Page begins with").press("Enter")

    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("Your cart")
    assert troubles == []


def test_list_is_paged(open_page: Open) -> None:
    page = open_page("conversations")

    page.get_by_role("link", name="Older").click()
    expect(rows(page)).not_to_have_count(50)
    expect(rows(page).last).to_contain_text("session-00")
    page.get_by_role("link", name="Latest").click()

    expect(rows(page)).to_have_count(50)


def test_new_messages_appear_while_one_looks(
    open_page: Open, server: Server, troubles: list[str]
) -> None:
    page = open_page("conversations?q=refund")
    rows(page).get_by_role("link").click()
    expect(page.locator(".message")).to_have_count(2)
    expect(page.locator(".message.user")).to_contain_text("Where is my **refund**?")

    server.chat("And <b>when</b>?", "refund")

    expect(page.locator(".message")).to_have_count(4, timeout=30_000)
    expect(page.locator(".message.user").last).to_contain_text("And <b>when</b>?")
    expect(page.locator("#news")).to_have_text("2 new messages")
    assert troubles == []


def test_conversations_are_exported(open_page: Open) -> None:
    page = open_page('conversations?q="Question+7"')

    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()

    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert download.value.suggested_filename.endswith(".csv")
    assert lines[0].startswith('"conversationId",')
    assert len(lines) == 1 + 2


def test_conversation_is_deleted_when_confirmed(open_page: Open, server: Server) -> None:
    server.chat("Please forget this", "forget")
    page = open_page("conversations?q=forget")
    rows(page).get_by_role("link").click()

    page.get_by_role("link", name="Delete").click()
    page.get_by_role("link", name="Keep it").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()

    expect(page.get_by_text("The conversation is deleted.")).to_be_visible()
    page.goto(f"{server.url}/dashboard/conversations?q=forget")
    expect(page.get_by_text("No conversation fits.")).to_be_visible()


def test_settings_show_the_widget_as_it_will_be(open_page: Open, troubles: list[str]) -> None:
    page = open_page("settings")

    page.get_by_label("Title").fill("Ask us")
    page.get_by_role("button", name="Show it").click()

    expect(page.locator("#snippet")).to_contain_text('data-title="Ask us"')
    page.locator(".launcher").click()
    expect(page.get_by_role("dialog")).to_contain_text("Ask us")
    assert troubles == []


def test_everything_works_without_a_script(open_page: Open, server: Server) -> None:
    server.chat("Gone without a script", "scriptless")
    page = open_page("conversations", java_script_enabled=False)

    page.get_by_label("Search what was said").fill("scriptless nowhere")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("No conversation fits.")).to_be_visible()
    page.get_by_label("Search what was said").fill("Gone without")
    page.get_by_role("button", name="Search").click()
    rows(page).get_by_role("link").click()
    expect(page.locator(".message.user")).to_contain_text("Gone without a script")
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("The conversation is deleted.")).to_be_visible()
    page.get_by_role("link", name="Older").click()
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("img").first).to_be_visible()
    page.get_by_role("link", name="Settings").click()
    expect(page.locator("#snippet")).to_contain_text("data-api-url")


def test_keyboard_reaches_everything(open_page: Open) -> None:
    page = open_page("conversations")

    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Search what was said")).to_be_focused()
    first = rows(page).first.get_by_role("link")
    for _ in range(8):
        if first.evaluate("link => link === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(first).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Conversation")).to_be_visible()


LOOKS = {
    "light": {"viewport": DESK, "color_scheme": "light"},
    "dark": {"viewport": DESK, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "color_scheme": "light"},
    "dark-phone": {"viewport": PHONE, "color_scheme": "dark"},
}


def excludes_nobody(page: Page) -> None:
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("overview", ""),
        ("hours", "?span=24h"),
        ("conversations", "conversations?q=refund&page=https://shop.example/"),
        ("nothing", "conversations?q=no+such+words"),
        ("settings", "settings"),
        ("switch", "switch"),
        ("missing", "nowhere"),
    ],
)
def test_page_excludes_nobody(open_page: Open, name: str, path: str, look: str) -> None:
    page = open_page(path, **LOOKS[look])
    expect(page.locator("h1")).to_be_visible()
    keep(page, f"{name}-{look}")

    excludes_nobody(page)


@pytest.mark.parametrize("look", LOOKS)
def test_transcript_and_deletion_exclude_nobody(open_page: Open, look: str) -> None:
    page = open_page("conversations?q=refund", **LOOKS[look])
    rows(page).get_by_role("link").click()
    expect(page.locator(".message").first).to_be_visible()
    keep(page, f"transcript-{look}")
    excludes_nobody(page)

    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("button", name="Delete it")).to_be_visible()
    excludes_nobody(page)


@pytest.mark.parametrize("look", LOOKS)
def test_switched_off_is_told_on_every_page_without_excluding_anybody(
    open_page: Open, look: str
) -> None:
    page = open_page("switch", **LOOKS[look])
    page.get_by_role("button", name="Switch it off").click()
    try:
        expect(page.get_by_role("status").first).to_contain_text("is switched off")
        page.get_by_role("link", name="Overview").click()
        expect(page.locator("#status")).to_contain_text("is switched off")
        keep(page, f"off-{look}")
        excludes_nobody(page)
    finally:
        page.locator("#status").get_by_role("link", name="Switch it on").click()
        page.get_by_role("button", name="Switch it on").click()

    expect(page.locator("#status")).to_be_empty()


@pytest.mark.parametrize(
    ("status", "words"), [(401, "until you mend"), (503, "is left alone for a while")]
)
def test_trouble_of_the_model_excludes_nobody(
    contexts: Callable[..., BrowserContext], status: int, words: str
) -> None:
    variables = {"DASHBOARD_PASSWORD": PASSWORD, "BREAKER_FAILURES": "2", "BREAKER_PAUSE_S": "600"}
    with Upstream() as upstream, Server.over(upstream, **variables) as server:
        upstream.script(status=status)
        for number in range(2):
            server.chat("Hi", f"session-{number}")
        context = contexts()
        sign_in(context.new_page(), server)
        state = context.storage_state()

        for look, options in LOOKS.items():
            page = contexts(storage_state=state, **options).new_page()
            page.goto(f"{server.url}/dashboard/")
            expect(page.locator("#status")).to_contain_text(words)
            keep(page, f"model-{status}-{look}")
            excludes_nobody(page)


ASSISTANTS = ("shop", *(f"assistant-of-the-long-name-{number:04}" for number in range(8)))


@pytest.fixture(scope="module")
def several(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with many assistants, each asked once."""
    file = tmp_path_factory.mktemp("several") / "assistants.toml"
    tables = (f'[{each}]\nwidget_api_key = "the-key-of-{each}"\n' for each in ASSISTANTS)
    file.write_text("".join(tables))
    variables = {"DASHBOARD_PASSWORD": PASSWORD, "ASSISTANTS_FILE": str(file)}
    with Server.over(upstream, **variables) as server:
        for each in ASSISTANTS:
            asked = {"message": f"Hello, {each}", "sessionId": f"session-{each}"}
            server.request("POST", "/v1/chat", asked, x_api_key=f"the-key-of-{each}")
        yield server


@pytest.mark.parametrize("has_script", [True, False])
def test_assistant_is_chosen_with_and_without_a_script(
    contexts: Callable[..., BrowserContext], several: Server, has_script: bool
) -> None:
    page = contexts(java_script_enabled=has_script).new_page()
    sign_in(page, several)
    page.goto(f"{several.url}/dashboard/conversations")
    expect(rows(page)).to_have_count(len(ASSISTANTS))

    page.get_by_text("Filters").click()
    page.get_by_label("Assistant").select_option("shop")
    if not has_script:
        page.get_by_role("button", name="Search").click()
    expect(rows(page)).to_have_count(1)
    expect(page).to_have_url(re.compile("assistant=shop"))
    rows(page).get_by_role("link").click()
    expect(page.locator(".message.user")).to_contain_text("Hello, shop")
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("link", name="shop", exact=True).click()

    expect(page.locator(".tile").first).to_contain_text(re.compile(r"Conversations\s*1\b"))


def test_choice_among_many_assistants_excludes_nobody(
    contexts: Callable[..., BrowserContext], several: Server
) -> None:
    context = contexts()
    sign_in(context.new_page(), several)
    state = context.storage_state()

    for look, options in LOOKS.items():
        page = contexts(storage_state=state, **options).new_page()
        for name, path in (("overview", ""), ("list", "conversations"), ("tag", "settings")):
            page.goto(f"{several.url}/dashboard/{path}")
            expect(page.locator("main")).to_contain_text(ASSISTANTS[-1])
            keep(page, f"assistants-{name}-{look}")
            excludes_nobody(page)


LONG_WORD = "w" * 1000
TABLE = (
    "| Product | Price | Stock | Weight | Colour | Notes |\n|---|---:|---|---|---|---|\n"
    + "".join(
        f"| Tent {number} | {number} € | yes | 900 g | green / sand | Two persons, all year |\n"
        for number in range(40)
    )
)


def told(
    open_page: Open,
    answer: str,
    look: str,
    server: Server,
    upstream: Upstream,
    question: str = "Hi",
) -> Page:
    """A transcript in which the model said this."""
    session = f"told-{uuid4().hex}"
    upstream.next(tokens=(answer,))
    server.chat(question, session)
    page = open_page(f"conversations?q={session}", **LOOKS[look])
    rows(page).get_by_role("link").click()
    expect(page.locator(".message")).to_have_count(2)
    return page


@pytest.mark.parametrize("look", ["light", "phone"])
def test_table_is_read_in_place(
    open_page: Open, server: Server, upstream: Upstream, look: str
) -> None:
    page = told(open_page, TABLE, look, server, upstream)
    table = page.get_by_role("group", name="Table")

    assert table.evaluate("each => each.scrollHeight <= each.clientHeight")
    # Not one word above the other, however narrow the page is.
    assert table.locator("td").last.evaluate("each => each.offsetWidth") >= 100
    excludes_nobody(page)


@pytest.mark.parametrize("look", ["light", "phone"])
def test_long_words_stay_on_the_page(
    open_page: Open, server: Server, upstream: Upstream, look: str
) -> None:
    page = told(
        open_page,
        f"{LONG_WORD} `{LONG_WORD}` https://shop.example/{LONG_WORD}\n\n"
        f"| a | b |\n|---|---|\n| {LONG_WORD} | b |\n\n```\n{LONG_WORD}\n```",
        look,
        server,
        upstream,
        LONG_WORD,
    )

    excludes_nobody(page)


def test_text_goes_in_the_direction_of_its_script(
    open_page: Open, server: Server, upstream: Upstream
) -> None:
    answer = "الشحن مجاني.\n\nShipping is free.\n\n`code()`"
    page = told(open_page, answer, "light", server, upstream, "ما هو سعر الشحن؟")

    def direction(selector: str) -> str:
        said: str = page.locator(selector).first.evaluate(
            "each => getComputedStyle(each).direction"
        )
        return said

    assert direction(".message.user .text") == "rtl"
    assert direction(".message.assistant .text") == "rtl"
    assert direction(".message.assistant code") == "ltr"
    assert direction(".message .by") == "ltr"
    page.goto(f"{server.url}/dashboard/conversations?q=الشحن")
    assert direction(".row .lead") == "rtl"
    assert direction(".row .about") == "ltr"


@pytest.mark.parametrize("span", ["24h", "7d", "30d"])
def test_labels_of_a_chart_stand_apart_on_a_phone(open_page: Open, span: str) -> None:
    page = open_page(f"?span={span}", viewport={"width": 360, "height": 740})

    rows = page.locator(".labels").evaluate_all(
        """rows => rows.map((row) => [...row.children].filter((each) => each.textContent)
        .map((each) => {
          const range = document.createRange();
          range.selectNodeContents(each);
          const {left, right} = range.getBoundingClientRect();
          return [left, right];
        }))"""
    )

    assert rows
    for places in rows:
        assert len(places) > 2
        assert all(one[1] + 2 <= next_one[0] for one, next_one in pairwise(places))


@pytest.mark.parametrize("look", LOOKS)
def test_door_excludes_nobody(
    contexts: Callable[..., BrowserContext], server: Server, look: str
) -> None:
    page = contexts(**LOOKS[look]).new_page()
    page.goto(f"{server.url}/dashboard/login")
    keep(page, f"door-{look}")

    excludes_nobody(page)
