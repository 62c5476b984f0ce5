"""deep-chat, unmodified and in Chromium, with OpenAI's format and our address."""

import json
from collections.abc import Iterator
from html import escape

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.live.clients import CLIENTS
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.site import Site
from tests.servers.upstream import Upstream

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("no_traceback")]

BUNDLE = CLIENTS / "node_modules" / "deep-chat" / "dist" / "deepChat.bundle.js"
DOCUMENT = '<!doctype html><meta charset="utf-8"><title>A shop</title><deep-chat{}></deep-chat>'
# Until it is taken: while an answer ends, a question is dropped.
ASK = """text => {
  const chat = document.querySelector("deep-chat");
  const isTaken = () => chat.getMessages().some((each) => each.text === text);
  if (!isTaken()) chat.submitUserMessage({ text });
  return isTaken();
}"""
MESSAGES = "document.querySelector('deep-chat').getMessages()"
WITHIN_MS = 15_000


class Chat:
    """A page with the component; what it needs stands in its tag, so that it is drawn once."""

    def __init__(self, page: Page, site: Site) -> None:
        self._page = page
        self._site = site

    def connect(self, server: Server, key: str = WIDGET_KEY, *, stream: bool = True) -> None:
        given = {
            "directConnection": {"openAI": {"key": key, "completions": True}},
            "connect": {"url": f"{server.url}/v1/chat/completions", "stream": stream},
        }
        attributes = (f' {name}="{escape(json.dumps(value))}"' for name, value in given.items())
        self._page.goto(self._site.add(DOCUMENT.format("".join(attributes))))
        self._page.add_script_tag(path=BUNDLE, type="module")
        expect(self._page.locator("#text-input")).to_be_visible()

    def send(self, text: str) -> None:
        self._page.wait_for_function(ASK, arg=text, timeout=WITHIN_MS)

    def ask(self, text: str, answer: str) -> None:
        """Ask, and return when this is answered."""
        self.send(text)
        expect(self._page.locator(".ai-message-text").last).to_have_text(answer, timeout=WITHIN_MS)

    @property
    def error(self) -> Locator:
        return self._page.locator(".error-message-text")

    def said(self) -> list[tuple[str, str]]:
        return [(each["role"], each["text"]) for each in self._page.evaluate(MESSAGES)]


@pytest.fixture
def chat(browser: Browser, server: Server) -> Iterator[Chat]:
    context = browser.new_context()
    with Site(server.url) as site:
        # It asks for a font of the internet.
        context.route(lambda url: "127.0.0.1" not in url, lambda route: route.abort())
        yield Chat(context.new_page(), site)
        context.close()


@pytest.mark.parametrize("stream", [True, False])
def test_each_question_is_answered_with_the_history_that_the_page_keeps(
    chat: Chat, server: Server, upstream: Upstream, stream: bool
) -> None:
    chat.connect(server, stream=stream)
    upstream.script(tokens=["Grüße ", "👋🏽 日本語"], gap_ms=5)
    chat.ask("I am Ada", "Grüße 👋🏽 日本語")
    upstream.script(tokens=["You are ", "Ada"])
    chat.ask("Who am I?", "You are Ada")

    assert chat.said() == [
        ("user", "I am Ada"), ("ai", "Grüße 👋🏽 日本語"),
        ("user", "Who am I?"), ("ai", "You are Ada"),
    ]  # fmt: skip
    assert upstream.wait_for_request(2).prompt[1:] == [
        ("user", "I am Ada"), ("assistant", "Grüße 👋🏽 日本語"), ("user", "Who am I?"),
    ]  # fmt: skip


def test_failure_is_shown(chat: Chat, server: Server, upstream: Upstream) -> None:
    chat.connect(server)
    upstream.script(status=500)

    chat.send("Hello")

    expect(chat.error).to_be_visible(timeout=WITHIN_MS)


def test_wrong_key_is_shown(chat: Chat, server: Server) -> None:
    chat.connect(server, "wrong")

    chat.send("Hello")

    expect(chat.error).to_be_visible(timeout=WITHIN_MS)
