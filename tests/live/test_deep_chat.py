"""deep-chat, unmodified and in Chromium, in its own format and in OpenAI's."""

import json
from collections.abc import Callable, Iterator
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

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("no_traceback")]

PATH = "/v1/deep-chat"
KEY = '"x-api-key"'
HISTORY = """requestBodyLimits='{"maxMessages": 50}'"""
MODES = pytest.mark.parametrize("mode", ["true", "false"], ids=["streamed", "whole"])
# Until it is taken: while an answer ends, a question is dropped.
ASK = """([text, count]) => {
  const chat = document.querySelector("deep-chat");
  const isTaken = () => chat.getMessages().length > count;
  if (!isTaken()) chat.submitUserMessage({ text });
  return isTaken();
}"""
MESSAGES = "document.querySelector('deep-chat').getMessages()"
WITHIN_MS = 15_000
ANY_TEXT = "Grüße 👋🏽 日本語 e\u0301"


class Chat:
    """A page with the component."""

    def __init__(self, page: Page, site: Site) -> None:
        self._page = page
        self._site = site

    def load(self, document: str) -> None:
        self._page.goto(self._site.add(document))
        expect(self._page.locator("#text-input")).to_be_visible(timeout=WITHIN_MS)

    def send(self, text: str) -> None:
        asked = [text, len(self.said())]
        self._page.wait_for_function(ASK, arg=asked, timeout=WITHIN_MS)

    def ask(self, text: str, answer: str) -> None:
        """Ask, and return when this is answered."""
        count = self.answers.count()
        self.send(text)
        expect(self.answers).to_have_count(count + 1, timeout=WITHIN_MS)
        expect(self.answers.last).to_have_text(answer, timeout=WITHIN_MS)

    def open_session(self, server: Server) -> str:
        """Return the token of a new session for this page."""
        headers = {"x_api_key": WIDGET_KEY, "origin": self._site.origin}
        return str(server.request("POST", "/v1/session", {}, **headers).json["token"])

    @property
    def answers(self) -> Locator:
        return self._page.locator(".ai-message-text:not(.error-message-text)")

    @property
    def error(self) -> Locator:
        return self._page.locator(".error-message-text")

    def said(self) -> list[tuple[str, str]]:
        return [(each["role"], each["text"]) for each in self._page.evaluate(MESSAGES)]


@pytest.fixture
def chat(browser: Browser, server: Server) -> Iterator[Chat]:
    with Site(server.url) as site, page_with_packages(browser) as page:
        yield Chat(page, site)


def example(server: Server, mode: str = "true", more: str = "", key: str = WIDGET_KEY) -> str:
    """The documented page, with this more in the body of each request."""
    document = example_of("deep-chat", server, key)
    options = f'"additionalBodyProps": {{{more}}}, "stream": {mode}'
    return changed(document, '"stream": true', options)


def openai_example(server: Server, mode: str = "true", key: str = WIDGET_KEY) -> str:
    """The documented page with OpenAI's format."""
    connect = {"url": f"{server.url}/v1/chat/completions", "stream": mode == "true"}
    direct = {"openAI": {"key": key, "completions": True}}
    head, _, rest = example(server).partition("connect='")
    attributes = f"directConnection='{json.dumps(direct)}' connect='{json.dumps(connect)}'"
    return head + attributes + rest.partition("'")[2]


@MODES
@pytest.mark.parametrize("page", [example, openai_example])
def test_each_question_is_answered_with_the_history_that_the_page_keeps(
    chat: Chat, server: Server, upstream: Upstream, page: Callable[..., str], mode: str
) -> None:
    chat.load(page(server, mode))
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

    chat.ask("Hello", "One two")
    upstream.release()

    expect(chat.answers.last).to_have_text("One two three", timeout=WITHIN_MS)


@MODES
def test_failure_before_the_first_word_is_told_in_our_words(
    chat: Chat, server: Server, upstream: Upstream, mode: str
) -> None:
    upstream.script(status=500)
    told = server.chat("Hello").json["error"]
    chat.load(example(server, mode))

    chat.send("Hello")

    expect(chat.error).to_have_text(told, timeout=WITHIN_MS)


def test_failure_behind_the_first_word_leaves_what_was_said(
    chat: Chat, server: Server, upstream: Upstream
) -> None:
    chat.load(example(server))
    upstream.script(tokens=["Half ", "an ", "answer"], fault="cut", at=2)

    chat.send("Hello")

    expect(chat.error).to_have_text("The answer was interrupted", timeout=WITHIN_MS)
    expect(chat.answers.last).to_have_text("Half an")


@MODES
def test_wrong_key_is_told_in_our_words(chat: Chat, server: Server, mode: str) -> None:
    chat.load(example(server, mode, key="wrong"))

    chat.send("Hello")

    expect(chat.error).to_have_text("Unauthorized", timeout=WITHIN_MS)


def test_failure_of_openais_format_is_shown(chat: Chat, server: Server, upstream: Upstream) -> None:
    chat.load(openai_example(server))
    upstream.script(status=500)

    chat.send("Hello")

    expect(chat.error).to_be_visible(timeout=WITHIN_MS)


def test_page_of_a_foreign_origin_gets_no_answer(chat: Chat, upstream: Upstream) -> None:
    with Server.over(upstream, CORS_ORIGIN="https://www.example.com") as strict:
        chat.load(example(strict))

        chat.send("Hello")

        expect(chat.error).to_be_visible(timeout=WITHIN_MS)

    assert upstream.requests == []


@MODES
def test_same_turn_sent_again_is_told_again(
    chat: Chat, server: Server, upstream: Upstream, session_name: str, mode: str
) -> None:
    chat.load(example(server, mode, f'"turnId": "{session_name}"'))
    upstream.script(tokens=["Once ", "only"])

    for _ in range(2):
        chat.ask("Hello", "Once only")

    assert len(upstream.requests) == 1


def test_named_session_has_the_stored_history_in_every_protocol(
    chat: Chat, server: Server, upstream: Upstream, session_name: str
) -> None:
    upstream.script(tokens=["Yes"])
    server.chat("I am Ada", session=session_name)
    document = example(server, more=f'"sessionId": "{session_name}"')
    chat.load(changed(document, HISTORY, ""))
    for question in ("Who am I?", "Really?"):
        chat.ask(question, "Yes")

    server.chat("And now?", session=session_name)

    asked = [text for role, text in upstream.wait_for_request(4).prompt if role == "user"]
    assert asked == ["I am Ada", "Who am I?", "Really?", "And now?"]


def test_session_token_is_its_own_session(chat: Chat, server: Server, upstream: Upstream) -> None:
    document = example(server, key=f"Bearer {chat.open_session(server)}")
    chat.load(changed(changed(document, KEY, '"Authorization"'), HISTORY, ""))
    upstream.script(tokens=["Hello ", "Ada"])
    for question in ("I am Ada", "Who am I?"):
        chat.ask(question, "Hello Ada")

    assert upstream.wait_for_request(2).prompt[1:3] == [
        ("user", "I am Ada"), ("assistant", "Hello Ada"),
    ]  # fmt: skip


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
        {},
        {"messages": []},
        {"messages": [{"role": "user", "text": " "}]},
        {"messages": [{"role": "user", "text": "Hi"}, {"role": "ai", "text": "Hello"}]},
        {"messages": [{"role": "user", "files": [{"type": "image"}]}]},
        {"messages": [{"role": "user", "text": "Hi"}], "turnId": "short"},
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(server: Server, body: dict[str, Any]) -> None:
    answer = post(server, PATH, body)

    assert answer.status == 400
    assert answer.json["details"]
