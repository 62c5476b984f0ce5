"""Gate 2: no violation under a strict policy with Trusted Types."""

from playwright.sync_api import Page, Route, expect

from tests.servers.perch import Server
from tests.servers.site import PAGE, tag
from tests.servers.upstream import Upstream
from tests.widget.visitor import Visitor

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
EVERYTHING = "# Yes\n\n**a** `b` [c](https://c.test) ![d](https://d.test/d.png)\n\n```js\ne\n```\n\n|f|g|\n|-|-|\n|h|i|"


def test_nothing_is_violated_on_a_page_of_strict_policy(
    page: Page, server: Server, upstream: Upstream
) -> None:
    upstream.script(tokens=[EVERYTHING])
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    options = {"locale": "fr", "greeting": "Bonjour", "theme": "dark", "size": "small"}
    document = PAGE.format(body="", script=tag(server.url, **options))

    def serve(route: Route) -> None:
        headers = {"content-security-policy": POLICY, "content-type": "text/html"}
        route.fulfill(body=document, headers=headers)

    # The page is the server's own origin, for only then is it 'self'.
    page.route(f"{server.url}/page", serve)
    page.goto(f"{server.url}/page")
    visitor = Visitor(page).open().ask("Bonjour ?")

    expect(visitor.answers.locator("table")).to_be_visible()
    expect(visitor.input).to_have_css("font-size", "16px")
    visitor.menu.click()
    page.get_by_role("button", name="Nouvelle conversation").click()
    expect(visitor.answers).to_have_count(0)
    assert troubles == []
