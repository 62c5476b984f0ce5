"""The owner teaches, tries and answers, in the real browser over the real server and learner."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.live.eventually import eventually
from tests.servers.perch import ADMIN_KEY, Server
from tests.servers.upstream import Upstream
from tests.widget.axe import violations

pytestmark = [pytest.mark.browser, pytest.mark.live]

PASSWORD = "open sesame 123"
SCREENSHOTS = Path(__file__).parents[3] / "test-results" / "dashboard"
DESK = {"width": 1280, "height": 850}
PHONE = {"width": 390, "height": 780}
HANDBOOK = (
    b"# Returns\n\nYou may send everything back within 30 days.\n\n## Refunds\n\nWithin a week.\n"
)
LEARNT_MS = 60_000
# Every half second: an index is seen within some.
TRIES = 40


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Upstream() as upstream, Server.over(upstream, DASHBOARD_PASSWORD=PASSWORD) as server:
        yield server


@pytest.fixture(scope="module")
def cookies(browser: Browser, server: Server) -> Any:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.url}/dashboard/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def open_page(browser: Browser, cookies: Any, server: Server) -> Iterator[Callable[..., Page]]:
    """Opens a page as the operator; at the end, the browser has complained of nothing."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(path: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": DESK, "storage_state": cookies, **options})
        context.set_default_timeout(15_000)
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else 0)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{server.url}/dashboard/{path}")
        return page

    yield open_page
    for context in opened:
        context.close()
    assert complaints == []


def keep(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True, animations="disabled")


def test_uploaded_file_is_learnt_while_the_page_tells_how_it_goes(
    open_page: Callable[..., Page], tmp_path: Path, server: Server
) -> None:
    file = tmp_path / "Handbook.md"
    file.write_bytes(HANDBOOK)
    page = open_page("knowledge")

    page.get_by_label(re.compile("^A file")).set_input_files(file)
    page.get_by_role("button", name="Learn the file").click()

    expect(page.get_by_role("status").get_by_text("The learner is started")).to_be_visible()
    expect(page.locator("#learning h2")).to_contain_text("Learnt", timeout=LEARNT_MS)
    page.reload()
    page.get_by_role("link", name=re.compile("Returns|Handbook")).click()
    expect(page.get_by_text("You may send everything back")).to_be_visible()
    keep(page, "knowledge-document")
    assert list((server.directory / "knowledge/uploads").iterdir()) == []

    page.get_by_role("link", name="Test a question").click()
    page.get_by_label("Question", exact=True).fill("Can I send it back?")
    expect(verdict_of(page)).to_contain_text("Would answer from these")
    keep(page, "knowledge-trial")


def verdict_of(page: Page) -> Locator:
    """Try the question until its answer comes from the index that is built meanwhile."""
    for _ in range(TRIES):
        page.get_by_role("button", name="Test it").click()
        if "passages" in (page.locator("#verdict").get_attribute("class") or ""):
            break
        page.wait_for_timeout(500)
    return page.locator("#verdict")


def ask_what_no_page_answers(server: Server, question: str) -> None:
    """Ask until it is listed: no question is looked for before there is something to find."""
    text = {"title": "Parcels", "text": "Parcels take three days."}
    key = {"x-admin-api-key": ADMIN_KEY}
    assert server.request("POST", "/v1/admin/knowledge/texts", text, **key).status == 200

    def is_listed() -> bool:
        server.chat(question)
        return question in str(server.admin("/v1/admin/knowledge/gaps").json)

    eventually(is_listed, within_s=LEARNT_MS / 1000)


def test_unanswered_question_is_answered_there_and_word_for_word_the_next_time(
    open_page: Callable[..., Page], server: Server
) -> None:
    ask_what_no_page_answers(server, "Do you deliver to the moon?")
    page = open_page("unanswered")
    expect(page.get_by_role("heading", name="Do you deliver to the moon?")).to_be_visible()
    keep(page, "unanswered-one")

    page.get_by_role("link", name="Answer", exact=True).click()
    page.get_by_label(re.compile("^Your answer")).fill("Not before **2030**.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("with your words")).to_be_visible()

    said = ""
    for number in range(TRIES):
        said = server.chat("do you deliver to the MOON", f"moon-again-{number}").json["message"]
        if said == "Not before **2030**.":
            break
        page.wait_for_timeout(500)
    assert said == "Not before **2030**."


def test_owner_answers_a_question_and_changes_the_answer(open_page: Callable[..., Page]) -> None:
    page = open_page("answers")
    page.get_by_role("link", name="Write an answer").click()
    page.get_by_label(re.compile("^Question")).fill("What are your hours?")
    page.get_by_label(re.compile("^Your answer")).fill("Nine to **five**.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").get_by_text("with your words")).to_be_visible()
    expect(page.locator("strong", has_text="five")).to_be_visible()

    row = page.locator(".rows > li", has_text="What are your hours?")
    row.get_by_role("link", name="Edit").click()
    expect(page.get_by_label(re.compile("^Your answer"))).to_have_value("Nine to **five**.")
    page.get_by_label(re.compile("^Your answer")).fill("Ten to six.")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Ten to six.")).to_be_visible()
    expect(page.get_by_text("Nine to")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize(
    "path",
    ["knowledge", "knowledge/text", "knowledge/test?question=Returns", "unanswered", "answers"],
)
def test_each_page_is_accessible_and_no_wider_than_its_window(
    open_page: Callable[..., Page], path: str, viewport: Any, scheme: str
) -> None:
    page = open_page(path, viewport=viewport, color_scheme=scheme)
    name = re.sub(r"\W+", "-", path.partition("?")[0])
    keep(page, f"{name}-{viewport['width']}-{scheme}")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
