"""What visitors and owners are told when something is not as it should be."""

import time

import jwt
from playwright.sync_api import Page, expect

from tests.servers.perch import Server
from tests.servers.site import Site
from tests.servers.upstream import Upstream, refused_url
from tests.widget.conftest import Visit
from tests.widget.visitor import Visitor


def lines(page: Page) -> list[str]:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    return said


def test_a_wrong_key_is_one_helpful_line_for_the_owner(page: Page, visit: Visit) -> None:
    said = lines(page)
    visitor = visit(api_key="wrong").open().ask("Hello?")

    expect(visitor.notice).to_contain_text("The assistant cannot be used on this page.")
    expect(visitor.questions).to_have_text(["Hello?"])
    [line] = [line for line in said if line.startswith("[perch]")]
    assert "Unauthorized" in line
    assert "data-api-key" in line


def test_a_page_that_is_not_allowed_is_named_with_the_setting(
    page: Page, site: Site, upstream: Upstream
) -> None:
    said = lines(page)
    with Server.over(upstream, CORS_ORIGIN="https://shop.test") as server:
        page.goto(site.page(api_url=f"{server.url}/chat"))
        visitor = Visitor(page).open().ask("Hello?")

        expect(visitor.retry).to_be_visible()
    expect(visitor.questions).to_have_text(["Hello?"])
    [line] = [line for line in said if line.startswith("[perch]")]
    assert "CORS_ORIGIN" in line
    assert site.origin in line


def test_a_server_that_cannot_be_reached_keeps_the_question(visit: Visit) -> None:
    with refused_url() as url:
        visitor = visit(api_url=url.replace("/v1", "/chat")).open().ask("Hello?")

        expect(visitor.notice).to_contain_text("The assistant cannot be reached.")
    expect(visitor.questions).to_have_text(["Hello?"])


def test_other_languages_say_what_the_server_says_in_english(
    visit: Visit, upstream: Upstream
) -> None:
    upstream.script(status=500)
    visitor = visit(locale="de").open().ask("Hallo?")

    expect(visitor.notice).to_contain_text("Der Assistent ist gerade nicht verfügbar.")


def test_a_token_that_no_longer_holds_is_renewed_unseen(
    visit: Visit, upstream: Upstream, server: Server
) -> None:
    upstream.script(tokens=["Yes."])
    visitor = visit().open().ask("One?").hears("Yes.")
    visitor.page.evaluate(
        "Object.keys(localStorage).filter((key) => key.startsWith('perch-token-'))"
        ".forEach((key) => (localStorage[key] += 'x'))"
    )

    visitor.ask("Two?")

    expect(visitor.answers).to_have_count(2)
    expect(visitor.notice).to_be_hidden()


def test_a_visitor_is_told_to_the_server_by_the_sites_own_signature(
    page: Page, site: Site, upstream: Upstream
) -> None:
    secret = "a-secret-of-the-site-that-is-long-enough"
    token = jwt.encode({"sub": "user-7", "exp": int(time.time()) + 600}, secret, "HS256")
    upstream.script(tokens=["Hello, you."])
    with Server.over(upstream, IDENTITY_SECRET=secret) as server:
        page.goto(site.page(api_url=f"{server.url}/chat"))
        visitor = Visitor(page)
        visitor.call("identify", token)
        visitor.open().ask("Who am I?").hears("Hello, you.")

        stored = server.admin("/v1/admin/conversations?limit=1").json["conversations"][0]
    assert stored["user"] == "user-7"


def test_what_failed_offline_is_done_again_and_nothing_else(
    visit: Visit, upstream: Upstream, page: Page
) -> None:
    upstream.script(tokens=["Yes."])
    visitor = visit().open().ask("Hello?").hears("Yes.")
    page.context.set_offline(True)
    visitor.menu.click()
    visitor.button("Delete my conversation").click()
    visitor.button("Delete for good?").click()
    expect(visitor.notice).to_contain_text("The assistant cannot be reached.")

    page.context.set_offline(False)

    expect(visitor.questions).to_have_count(0)
    expect(visitor.notice).to_be_hidden()
    assert len(upstream.requests) == 1


def test_a_vote_that_fails_is_taken_back_and_can_be_cast_again(
    visit: Visit, upstream: Upstream, page: Page
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    upstream.script(tokens=["Yes."])
    visitor = visit().open().ask("Hello?").hears("Yes.")
    page.route("**/feedback", lambda route: route.abort())
    visitor.button("Good answer").click()
    expect(visitor.retry).to_be_visible()
    up = page.locator("perch-chat .up")
    expect(up).to_have_attribute("aria-pressed", "false")

    page.unroute("**/feedback")
    visitor.retry.click()

    expect(up).to_have_attribute("aria-pressed", "true")
    expect(visitor.notice).to_be_hidden()
    assert errors == []


def test_a_session_without_a_token_is_not_asked_for_a_vote(
    visit: Visit, upstream: Upstream, page: Page
) -> None:
    upstream.script(tokens=["Yes."])
    visitor = visit()
    page.evaluate("localStorage['os-chatbot-session-id'] = 'legacy-visitor-2'")
    visitor.open().ask("Hello?").hears("Yes.")

    expect(visitor.button("Answer again")).to_be_visible()
    expect(page.locator("perch-chat .up")).to_be_hidden()
    visitor.ask("Still me?")
    expect(visitor.answers).to_have_count(2)
    assert "legacy-visitor-2" in page.evaluate("Object.values(localStorage)")
