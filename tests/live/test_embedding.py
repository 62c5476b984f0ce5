"""A page on another origin with the embed tag chats with the server, in the real browser."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, expect

from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.upstream import Upstream

pytestmark = pytest.mark.browser

EMBED = """<!doctype html><title>A page</title><h1>A page of somebody else</h1>
<script src="{server}/widget/chat-widget.js" data-api-url="{server}/chat" data-api-key="{key}"
        data-title="Support" data-welcome-message="Hey! How can I help?" defer></script>"""


class Page(ThreadingHTTPServer):
    """Serves one page on an origin of its own."""

    html = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), OnePage)
        self.origin = f"http://127.0.0.1:{self.server_port}"


class OnePage(BaseHTTPRequestHandler):
    server: Page

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.server.html.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def page_elsewhere() -> Iterator[Page]:
    with Page() as page:
        thread = threading.Thread(target=page.serve_forever)
        thread.start()
        yield page
        page.shutdown()
        thread.join()


def test_an_embed_on_another_origin_chats(
    upstream: Upstream, page_elsewhere: Page, browser: Browser
) -> None:
    upstream.script(tokens=["Open", " from", " nine", " to", " five."], gap_ms=30)
    with Server.over(upstream, CORS_ORIGIN=page_elsewhere.origin) as server:
        page_elsewhere.html = EMBED.format(server=server.url, key=WIDGET_KEY)
        page = browser.new_page()
        page.goto(page_elsewhere.origin)

        page.get_by_role("button").first.click()
        expect(page.get_by_text("Hey! How can I help?")).to_be_visible()
        page.get_by_role("textbox").fill("When are you open?")
        page.keyboard.press("Enter")

        transcript = page.get_by_role("log")
        expect(transcript.get_by_text("Open from nine to five.")).to_be_visible()
        # The last word may be seen before the answer is stored; this comes with `done`.
        expect(page.get_by_role("button", name="Answer again")).to_be_visible()
        stored = server.admin("/v1/admin/conversations").json["conversations"]
        assert server.said(stored[0]["_id"]) == [
            ("user", "When are you open?"),
            ("assistant", "Open from nine to five."),
        ]


def test_an_origin_that_is_not_allowed_is_told_so(
    upstream: Upstream, page_elsewhere: Page, browser: Browser
) -> None:
    with Server.over(upstream, CORS_ORIGIN="https://page.test") as server:
        page_elsewhere.html = EMBED.format(server=server.url, key=WIDGET_KEY)
        page = browser.new_page()
        page.goto(page_elsewhere.origin)

        page.get_by_role("button").first.click()
        page.get_by_role("textbox").fill("When are you open?")
        page.keyboard.press("Enter")

        transcript = page.get_by_role("log")
        expect(transcript.get_by_text("The assistant cannot be reached.")).to_be_visible()
        assert upstream.requests == []
        assert page_elsewhere.origin in server.log()
