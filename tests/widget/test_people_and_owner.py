"""Visitor and owner, each in a browser of their own, over the real server with two workers."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.notifications.return_link import PURPOSE, ReturnLinks
from app.web.guards.secret_keys import derive_key
from tests.live.eventually import eventually
from tests.notifications.post_office import PostOffice, text_of
from tests.servers.perch import Server
from tests.servers.site import Site
from tests.servers.upstream import Upstream
from tests.widget.visitor import Visitor

PASSWORD = "open sesame 123"
SECRET = "a secret of the tests that is long enough"
OWNER, VISITOR = "owner@example.com", "visitor@example.org"
MAILED_S = 30.0


@pytest.fixture(scope="module")
def post() -> Iterator[PostOffice]:
    with PostOffice() as post:
        yield post


@pytest.fixture(scope="module")
def server(session_upstream: Upstream, post: PostOffice) -> Iterator[Server]:
    """Two workers that mail the owner."""
    with Server.over(
        session_upstream,
        WEB_CONCURRENCY="2",
        DASHBOARD_PASSWORD=PASSWORD,
        SECRET_KEY=SECRET,
        SMTP_URL=f"smtp://127.0.0.1:{post.port}",
        MAIL_FROM="Perch <chat@example.com>",
        NOTIFY_EMAIL=OWNER,
    ) as server:
        yield server


@pytest.fixture(scope="module")
def site(server: Server) -> Iterator[Site]:
    with Site(server.url) as site:
        yield site


@pytest.fixture
def owner(browser: Browser, server: Server) -> Iterator[Page]:
    """The dashboard, on the owner's phone."""
    context = browser.new_context(viewport={"width": 390, "height": 780}, has_touch=True)
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(f"{server.url}/dashboard/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    yield page
    context.close()


def reply(owner: Page, text: str) -> None:
    owner.locator("#text").fill(text)
    owner.get_by_role("button", name="Send").click()
    expect(owner.locator("ol.thread")).to_contain_text(text)


def test_from_asking_for_a_person_to_the_assistant_again(
    browser: Browser,
    context: BrowserContext,
    site: Site,
    server: Server,
    upstream: Upstream,
    post: PostOffice,
    owner: Page,
) -> None:
    upstream.script(tokens=["We have chairs."])
    address = site.page()
    page = context.new_page()
    page.goto(address)
    visitor = Visitor(page).open().ask("Do you have chairs?").hears("We have chairs.")

    visitor.menu.click()
    visitor.panel.get_by_role("button", name="Talk to a person").first.click()
    visitor.ask("In red?")

    # The owner hears of it, finds the visitor and answers.
    eventually(lambda: [OWNER] in post.recipients, within_s=MAILED_S)
    assert "chairs" in text_of(post.mails[0]) or "In red?" in text_of(post.mails[0])
    owner.goto(f"{server.url}/dashboard/inbox")
    owner.get_by_role("link", name="In red?").click()
    reply(owner, "Hello, I am Ada.")
    operator = page.locator("perch-chat .operator > .text")
    expect(operator).to_have_text("Hello, I am Ada.")

    # The visitor leaves an address, and the page.
    page.locator("perch-chat input[type=email]").fill(VISITOR)
    page.locator("perch-chat input[type=checkbox]:visible").check()
    page.get_by_role("button", name="Save").click()
    expect(owner.locator("ol.thread")).to_contain_text("The visitor left an address")
    page.close()
    reply(owner, "In red, for 49 €.")

    # The mail's link opens the conversation elsewhere.
    [conversation] = server.admin("/v1/admin/conversations").json["conversations"]
    links = ReturnLinks([derive_key(SECRET.encode(), PURPOSE)])
    fresh = browser.new_context(viewport={"width": 1000, "height": 760})
    back = fresh.new_page()
    back.goto(links.link(address, conversation["sessionId"], "default"))
    returned = Visitor(back)
    expect(back.locator("perch-chat .operator > .text")).to_have_text(
        ["Hello, I am Ada.", "In red, for 49 €."]
    )
    assert back.url == address

    owner.get_by_role("button", name="Give back").click()
    expect(returned.log).to_contain_text("The assistant answers again.")
    upstream.script(tokens=["In blue, too."])
    returned.ask("And in blue?").hears("In blue, too.")
    assert [each for each in upstream.requests[-1].prompt if each[0] != "system"] == [
        ("user", "And in blue?")
    ]
    fresh.close()


def test_owner_takes_over_while_the_model_speaks(
    context: BrowserContext, site: Site, server: Server, upstream: Upstream, owner: Page
) -> None:
    upstream.script(tokens=200, gap_ms=100)
    page = context.new_page()
    page.goto(site.page())
    visitor = Visitor(page).open().ask("Tell me all about tables.")
    expect(visitor.answers.last).to_contain_text("The answer")

    owner.goto(f"{server.url}/dashboard/conversations")
    owner.get_by_role("link", name="Tell me all about tables.").click()
    owner.get_by_role("button", name="Take over").click()

    expect(visitor.log).to_contain_text("Support joined.")
    expect(visitor.stop).to_be_hidden()
    expect(owner.locator("ol.thread")).to_contain_text("cut short")
    [conversation, *_] = server.admin("/v1/admin/conversations").json["conversations"]
    *_, answer, taken = server.messages(conversation["_id"])
    assert (answer["status"], answer["finishReason"], taken["event"]) == (
        "partial", "taken", "taken"
    )  # fmt: skip
