"""Perch under a path of a site, through the real nginx, in the real browser, in production."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.servers.nginx import Proxy, nginx
from tests.servers.perch import Server
from tests.servers.upstream import Upstream

pytestmark = [pytest.mark.live, pytest.mark.browser]

PASSWORD = "a-password-of-the-deployment-tests"


@pytest.fixture
def proxy(upstream: Upstream, tmp_path: Path) -> Iterator[Proxy]:
    """The proxy of a server that knows of no path but what the proxy says."""
    upstream.script(tokens=["Nine", " to", " five."])
    with (
        Server.over(
            upstream,
            APP_ENV="production",
            HOST="127.0.0.1",
            TRUSTED_PROXY_HOPS="1",
            CORS_ORIGIN="https://shop.example",
            DASHBOARD_PASSWORD=PASSWORD,
        ) as server,
        nginx(tmp_path / "nginx", server.port, "/perch") as proxy,
    ):
        yield proxy


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def test_an_operator_signs_in_chats_in_the_preview_and_reads_it(proxy: Proxy, page: Page) -> None:
    base = f"https://localhost:{proxy.port}/perch"
    missed: list[str] = []
    page.on("response", lambda got: missed.append(got.url) if got.status >= 400 else None)

    page.goto(f"{base}/dashboard")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert page.url == f"{base}/dashboard/"
    page.get_by_role("link", name="Settings").click()
    expect(page.locator("#snippet")).to_contain_text(f'src="{base}/widget/chat-widget.js"')
    page.get_by_role("button", name="Assistant").click()
    widget = page.get_by_role("dialog")
    widget.get_by_role("textbox").fill("When are you open?")
    page.keyboard.press("Enter")
    expect(widget.get_by_role("log").get_by_text("Nine to five.")).to_be_visible()
    expect(widget.get_by_role("button", name="Answer again")).to_be_visible()
    page.get_by_role("link", name="Conversations", exact=True).click()
    page.locator("#list li a").first.click()
    expect(page.locator(".message.user")).to_contain_text("When are you open?")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    assert page.url == f"{base}/dashboard/login"
    assert missed == []


def test_the_snippet_keeps_the_port_and_the_path_of_the_site(proxy: Proxy) -> None:
    host = f"chat.example.com:{proxy.port}"
    document = proxy.send("GET", "/perch/v1/openapi.json", Host=host).answer().json
    elsewhere = proxy.send("GET", "/v1/openapi.json", Host=host).answer()

    assert document["servers"] == [{"url": f"https://{host}/perch"}]
    assert b"nginx" in elsewhere.body


def test_what_a_client_says_of_its_path_is_dropped(upstream: Upstream, tmp_path: Path) -> None:
    with Server.over(upstream) as server, nginx(tmp_path / "nginx", server.port) as proxy:
        document = (
            proxy.send("GET", "/v1/openapi.json", X_Forwarded_Prefix="/made-up").answer().json
        )

    assert document["servers"] == [{"url": "https://chat.example.com"}]
