"""n8n's chat widget, unmodified and in Chromium, as docs/frontends.md has it."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.domain.knowledge import Source
from app.protocols.source_list import list_sources
from tests.live.clients import post
from tests.live.packages import changed, example_of, page_with_packages
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.site import Site
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import words

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("no_traceback")]

PATH = "/v1/n8n"
STREAMS = "enableStreaming: true"
KEY = '"x-api-key"'
MODES = pytest.mark.parametrize("mode", [STREAMS, "enableStreaming: false"])
WITHIN_MS = 15_000
ANY_TEXT = "Grüße 👋🏽 日本語 e\u0301"


class Chat:
    """A page with the widget, open."""

    def __init__(self, page: Page, site: Site) -> None:
        self._page = page
        self._site = site

    def load(self, document: str) -> None:
        self._page.goto(self._site.add(document))
        self.open()

    def open(self) -> None:
        self._page.locator(".chat-window-toggle").click()
        expect(self._page.locator("textarea")).to_be_visible(timeout=WITHIN_MS)

    def reload(self) -> None:
        self._page.reload()
        self.open()

    def ask(self, text: str, answer: str) -> None:
        """Ask, and return when this is answered."""
        count = self.answers.count()
        self._page.locator("textarea").fill(text)
        self._page.locator("textarea").press("Enter")
        expect(self.answers).to_have_count(count + 1, timeout=WITHIN_MS)
        expect(self.answers.last).to_have_text(answer, timeout=WITHIN_MS)
        expect(self._page.locator(".chat-message-typing")).to_have_count(0, timeout=WITHIN_MS)

    def ask_in_part(self, text: str, beginning: str) -> None:
        """Ask, and return when this much is said."""
        self._page.locator("textarea").fill(text)
        self._page.locator("textarea").press("Enter")
        expect(self.answers.last).to_contain_text(beginning, timeout=WITHIN_MS)

    @property
    def answers(self) -> Locator:
        """What the assistant said; two greetings are the widget's own."""
        return self._page.locator(".chat-message-from-bot:not(.chat-message-typing)")

    def open_session(self, server: Server) -> str:
        """Return the token of a new session for this page."""
        headers = {"x_api_key": WIDGET_KEY, "origin": self._site.origin}
        return str(server.request("POST", "/v1/session", {}, **headers).json["token"])

    @property
    def session(self) -> str:
        return str(self._page.evaluate("localStorage.getItem('n8n-chat/sessionId')"))


@pytest.fixture
def chat(browser: Browser, server: Server) -> Iterator[Chat]:
    with Site(server.url) as site, page_with_packages(browser) as page:
        yield Chat(page, site)


def example(server: Server, mode: str = STREAMS, options: str = "", key: str = WIDGET_KEY) -> str:
    """The documented page with these options more."""
    return changed(example_of("@n8n/chat", server, key), f"{STREAMS},", f"{mode}, {options}")


@MODES
def test_two_questions_are_answered_in_one_session(
    chat: Chat, server: Server, upstream: Upstream, mode: str
) -> None:
    chat.load(example(server, mode))
    upstream.script(tokens=["Hello ", "Ada"], gap_ms=5)
    chat.ask("I am Ada", "Hello Ada")
    upstream.script(tokens=["You are ", "Ada"])
    chat.ask("Who am I?", "You are Ada")

    assert upstream.wait_for_request(2).prompt[1:] == [
        ("user", "I am Ada"), ("assistant", "Hello Ada"), ("user", "Who am I?"),
    ]  # fmt: skip


@MODES
def test_any_text_comes_through_wherever_it_is_split(
    chat: Chat, server: Server, upstream: Upstream, mode: str
) -> None:
    chat.load(example(server, mode))
    upstream.script(tokens=list(ANY_TEXT), split=1)

    chat.ask("Hello", ANY_TEXT)


def test_words_are_shown_while_more_are_to_come(
    chat: Chat, server: Server, upstream: Upstream
) -> None:
    chat.load(example(server))
    upstream.script(tokens=["One ", "two ", "three"], fault="stall", at=2)

    chat.ask_in_part("Hello", "One two")
    upstream.release()

    expect(chat.answers.last).to_have_text("One two three", timeout=WITHIN_MS)


@MODES
def test_failure_before_the_first_word_is_shown(
    chat: Chat, server: Server, upstream: Upstream, mode: str
) -> None:
    chat.load(example(server, mode))
    upstream.script(status=500)
    told = server.chat("Hello").json["error"]
    shown = f"Error: {told}" if mode == STREAMS else told

    chat.ask("Hello", shown)


def test_failure_behind_the_first_word_stands_apart_from_it(
    chat: Chat, server: Server, upstream: Upstream
) -> None:
    chat.load(example(server))
    upstream.script(tokens=["Half ", "an ", "answer"], fault="cut", at=2)

    chat.ask_in_part("Hello", "Half an Error: ")

    expect(chat.answers.last.locator("p")).to_have_count(2, timeout=WITHIN_MS)


@MODES
def test_wrong_key_is_shown(chat: Chat, server: Server, mode: str) -> None:
    chat.load(example(server, mode, key="wrong"))
    shown = "Error: Failed to receive response" if mode == STREAMS else "Unauthorized"

    chat.ask("Hello", shown)


def test_page_of_a_foreign_origin_gets_no_answer(chat: Chat, upstream: Upstream) -> None:
    with Server.over(upstream, CORS_ORIGIN="https://www.example.com") as strict:
        # The widget opens only when it could ask what was said before.
        chat.load(example(strict, options="loadPreviousSession: false"))

        chat.ask("Hello", "Error: Failed to receive response")

    assert upstream.requests == []


@MODES
def test_same_turn_sent_again_is_told_again(
    chat: Chat, server: Server, upstream: Upstream, mode: str
) -> None:
    chat.load(example(server, mode, 'metadata: { turnId: "turn-0001" }'))
    upstream.script(tokens=3)

    for _ in range(2):
        chat.ask("Hello", words(3))

    assert len(upstream.requests) == 1


def test_conversation_goes_on_from_one_protocol_to_another(
    chat: Chat, server: Server, upstream: Upstream, session_name: str
) -> None:
    upstream.script(tokens=["Yes"])
    server.chat("I am Ada", session=session_name)
    chat.load(example(server, options=f'sessionId: "{session_name}"'))
    chat.ask("Who am I?", "Yes")

    server.chat("And now?", session=chat.session)

    asked = [text for role, text in upstream.wait_for_request(3).prompt if role == "user"]
    assert asked == ["I am Ada", "Who am I?", "And now?"]


def test_what_was_said_is_shown_again_to_who_has_the_token(
    chat: Chat, server: Server, upstream: Upstream
) -> None:
    token = chat.open_session(server)
    chat.load(changed(example(server, key=f"Bearer {token}"), KEY, "Authorization"))
    upstream.script(tokens=["Hello ", "Ada"])
    chat.ask("I am Ada", "Hello Ada")

    chat.reload()

    expect(chat.answers.last).to_have_text("Hello Ada", timeout=WITHIN_MS)


def test_with_the_key_alone_nothing_is_shown_again_and_the_conversation_goes_on(
    chat: Chat, server: Server, upstream: Upstream
) -> None:
    chat.load(example(server))
    upstream.script(tokens=["Hello ", "Ada"])
    chat.ask("I am Ada", "Hello Ada")

    chat.reload()
    greetings = chat.answers.count()
    chat.ask("Who am I?", "Hello Ada")

    assert greetings == 2
    assert ("user", "I am Ada") in upstream.wait_for_request(2).prompt


def test_list_of_sources_is_links_with_titles(
    chat: Chat, server: Server, upstream: Upstream
) -> None:
    title = "A](x) <b>*b*</b> &lt; `c`"
    listed = list_sources([Source(1, title, "https://example.org/a_(b)"), Source(2, title)])
    chat.load(example(server))
    upstream.script(tokens=["See [1].", listed])

    chat.ask("Hello", f"See [1]. [1] {title} [2] {title} ")

    [link] = chat.answers.last.locator("a").all()
    assert link.text_content() == title
    assert link.get_attribute("href") == "https://example.org/a_%28b%29"


@pytest.mark.parametrize(
    "body",
    [
        {"action": "sendMessage", "sessionId": "s-1"},
        {"action": "sendMessage", "chatInput": "Hi"},
        {"sessionId": "s-1", "chatInput": "Hi"},
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(server: Server, body: dict[str, Any]) -> None:
    answer = post(server, PATH, body)

    assert answer.status == 400
    assert answer.json["message"] == answer.json["error"]
    assert answer.json["details"]
