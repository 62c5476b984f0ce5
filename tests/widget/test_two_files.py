"""The launcher and its panel: when the second file comes, and what happens when it does not."""

import re

from playwright.sync_api import Page, Route, expect

from tests.servers.perch import Server
from tests.servers.site import PAGE, tag
from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit
from tests.widget.test_size import PANEL
from tests.widget.visitor import Visitor

PANELS = re.compile(r"/widget/panel\.")


def test_pointing_at_the_launcher_fetches_the_panel(visit: Visit, page: Page) -> None:
    visitor = visit()

    with page.expect_response(PANELS) as response:
        visitor.launcher.hover()

    assert response.value.ok
    expect(visitor.panel).to_be_hidden()
    visitor.open()
    expect(visitor.input).to_be_focused()


def test_something_is_seen_before_the_panel_comes(visit: Visit, page: Page) -> None:
    waiting: list[Route] = []
    page.route(PANELS, lambda route: waiting.append(route))
    visitor = visit()

    visitor.launcher.click()

    expect(page.locator("perch-chat .outline")).to_be_visible()
    page.wait_for_function("() => true")
    waiting[0].continue_()
    expect(visitor.input).to_be_focused()


def test_a_panel_that_does_not_come_is_a_sentence_and_a_retry(
    visit: Visit, page: Page, upstream: Upstream
) -> None:
    upstream.script(tokens=["Here."])
    page.route(PANELS, lambda route: route.abort())
    visitor = visit()
    visitor.call("send", "Anybody?")
    expect(visitor.panel).to_contain_text("The assistant cannot be reached.")

    page.unroute(PANELS)
    visitor.retry.click()

    visitor.hears("Here.")
    expect(visitor.questions).to_have_text(["Anybody?"])


def test_a_launcher_of_another_edition_chats_with_the_panel_that_there_is(
    visit: Visit, page: Page, upstream: Upstream, server: Server
) -> None:
    upstream.script(tokens=["Yes."])

    def of_another_edition(route: Route) -> None:
        response = route.fetch()
        body = response.text().replace(PANEL.name, "panel.01234567.js")
        route.fulfill(response=response, body=body)

    page.route("**/chat-widget.js", of_another_edition)
    visit().open().ask("Do you know me?").hears("Yes.")


def test_a_nonce_is_policy_enough(page: Page, server: Server, upstream: Upstream) -> None:
    upstream.script(tokens=["**Allowed.**"])
    policy = (
        "default-src 'none'; script-src 'nonce-abc'; connect-src 'self'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    script = tag(server.url).replace("<script ", '<script nonce="abc" ')
    document = PAGE.format(body="", script=script)
    headers = {"content-security-policy": policy, "content-type": "text/html"}
    # The page is the server's own, for a browser lets no made-up one load from this machine.
    page.route(f"{server.url}/page", lambda route: route.fulfill(body=document, headers=headers))
    page.goto(f"{server.url}/page")

    Visitor(page).open().ask("May you?").hears("Allowed.")
