"""The embed tag and its options, ``window.PerchChat``, and the page's events."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.servers.perch import Server
from tests.servers.site import Site, tag
from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit
from tests.widget.visitor import Visitor

# What a tag manager does.
BRING = "(tag) => document.head.append(document.createRange().createContextualFragment(tag))"


def test_the_snippet_of_the_contract_chats_from_another_origin(
    visit: Visit, upstream: Upstream, server: Server
) -> None:
    upstream.script(tokens=["Open", " from", " nine", " to", " five."])
    visitor = visit(
        title="Support",
        welcome_message="Hey! How can I help?",
        input_placeholder="Type your question…",
        position="left",
        accent_color="#0ea5e9",
    )

    expect(visitor.launcher).to_have_accessible_name("Support")
    visitor.open()
    expect(visitor.panel).to_have_accessible_name("Support")
    expect(visitor.log).to_contain_text("Hey! How can I help?")
    expect(visitor.input).to_have_attribute("placeholder", "Type your question…")
    visitor.ask("When are you open?").hears("Open from nine to five.")

    box = visitor.panel.bounding_box()
    assert box is not None
    assert box["x"] < 100
    stored = server.admin("/v1/admin/conversations?limit=1").json["conversations"][0]
    assert server.said(stored["_id"]) == [
        ("user", "When are you open?"),
        ("assistant", "Open from nine to five."),
    ]


def test_the_defaults_are_those_of_the_original(visit: Visit) -> None:
    visitor = visit().open()

    expect(visitor.panel).to_have_accessible_name("Assistant")
    expect(visitor.log).to_contain_text("Hi! Ask me anything and I will help you out.")
    expect(visitor.input).to_have_attribute("placeholder", "Type your message...")


@pytest.mark.parametrize("missing", ["data-api-url", "data-api-key"])
def test_a_tag_without_address_or_key_is_one_clear_line(
    page: Page, site: Site, missing: str
) -> None:
    lines: list[str] = []
    page.on("console", lambda message: lines.append(f"{message.type}: {message.text}"))
    script = re.sub(f' {missing}="[^"]*"', "", tag(site.server_url))

    page.goto(site.add(f"<!doctype html><title>x</title><body>{script}"))

    expect(page.locator("perch-chat")).to_have_count(0)
    assert lines == ["error: [perch] The script tag needs data-api-url and data-api-key."]


def test_a_second_load_changes_nothing(visit: Visit, site: Site) -> None:
    visitor = visit(tag(site.server_url, title="Another"), title="First").open()

    expect(visitor.host).to_have_count(1)
    expect(visitor.panel).to_have_count(1)


def test_a_tag_manager_may_bring_the_tag_late(page: Page, site: Site) -> None:
    page.goto(site.add("<!doctype html><title>x</title><body><h1>x</h1>"))
    page.evaluate(BRING, tag(site.server_url))

    Visitor(page).open()


def test_calls_before_the_script_are_answered_after_it(page: Page, site: Site) -> None:
    queue = """<script>
        window.seen = [];
        window.PerchChat = [["on", "ready", () => seen.push("ready")], ["open"]];
        PerchChat.push(["on", "open", () => seen.push("open")]);
    </script>"""
    page.goto(site.page(queue))

    expect(Visitor(page).panel).to_be_visible()
    page.wait_for_function("seen.join() == 'ready,open'")


def test_the_page_opens_sends_closes_and_hears_events(visit: Visit, upstream: Upstream) -> None:
    upstream.script(tokens=["Yes."])
    visitor = visit()
    page = visitor.page
    page.evaluate(
        """() => {
            window.heard = [];
            for (const name of ["open", "message", "close"])
                document.addEventListener("perch:" + name, ({ detail }) =>
                    heard.push(detail ? `${detail.role}: ${detail.content}` : name));
            PerchChat.on("message", window.off = () => heard.push("unheard"));
            PerchChat.off("message", window.off);
        }"""
    )

    visitor.call("send", "Really?")
    visitor.hears("Yes.")
    visitor.call("toggle")

    expect(visitor.panel).to_be_hidden()
    assert page.evaluate("heard") == ["open", "user: Really?", "assistant: Yes.", "close"]


def test_destroy_leaves_nothing_and_the_script_may_come_again(
    visit: Visit, site: Site, upstream: Upstream
) -> None:
    upstream.script(tokens=["Yes."])
    visitor = visit().open().ask("First?").hears("Yes.")

    visitor.call("destroy")

    expect(visitor.host).to_have_count(0)
    assert visitor.page.evaluate("typeof PerchChat") == "undefined"
    visitor.page.evaluate(BRING, tag(site.server_url, title="Anew"))
    expect(visitor.panel).to_have_accessible_name("Anew")
    visitor.hears("Yes.").ask("Second?").hears("Yes.", 1)


def test_a_single_page_app_that_replaces_the_body_keeps_the_conversation(
    visit: Visit, upstream: Upstream
) -> None:
    upstream.script(tokens=["Still", " here."])
    visitor = visit().open().ask("Stay?").hears("Still here.")

    visitor.page.evaluate("document.body = document.createElement('body')")

    expect(visitor.panel).to_be_visible()
    expect(visitor.answers).to_have_text(["Still here."])


def test_inline_the_widget_stands_where_the_page_wants_it(visit: Visit, upstream: Upstream) -> None:
    upstream.script(tokens=["Here."])
    visitor = visit("<div id=place style='height:500px;width:400px'></div>", inline="#place")

    expect(visitor.launcher).to_be_hidden()
    visitor.ask("Where?").hears("Here.")
    visitor.input.press("Escape")

    expect(visitor.panel).to_be_visible()
    place, panel = visitor.page.locator("#place").bounding_box(), visitor.panel.bounding_box()
    assert place == panel


def test_a_place_that_comes_later_gets_the_widget(visit: Visit) -> None:
    visitor = visit(inline="#later")
    expect(visitor.host).to_have_count(0)

    visitor.page.evaluate(
        "document.querySelector('main').append(document.createElement('div'));"
        "document.querySelector('main > div').id = 'later'"
    )

    expect(visitor.page.locator("#later > perch-chat")).to_have_count(1)
    expect(visitor.input).to_be_visible()


def test_options_that_are_looks_are_heeded(visit: Visit) -> None:
    visitor = visit(theme="dark", size="large", z_index="7", open="true")
    expect(visitor.panel).to_be_visible()

    def style(name: str, selector: str) -> str:
        element = visitor.page.locator(f"perch-chat {selector}")
        return str(element.evaluate("(e, name) => getComputedStyle(e)[name]", name))

    assert style("backgroundColor", ".panel") == "rgb(18, 22, 29)"
    assert style("width", ".panel") == "480px"
    assert style("zIndex", ".root") == "7"


def test_starters_and_a_greeting_begin_conversations(visit: Visit, upstream: Upstream) -> None:
    upstream.script(tokens=["Nothing."])
    visitor = visit(greeting="Questions?", starters="What does it cost?|Where are you?")

    visitor.page.get_by_role("button", name="Questions?").click()
    visitor.panel.get_by_role("button", name="What does it cost?").click()

    visitor.hears("Nothing.")
    expect(visitor.questions).to_have_text(["What does it cost?"])
    expect(visitor.panel.get_by_role("button", name="Where are you?")).to_be_hidden()
    expect(visitor.page.get_by_role("button", name="Questions?")).to_be_hidden()


def test_texts_can_be_the_pages_own(visit: Visit) -> None:
    visitor = visit(locale="de", texts='{"send": "Ab die Post"}', title="Hilfe").open()

    expect(visitor.panel).to_have_accessible_name("Hilfe")
    expect(visitor.input).to_have_attribute("placeholder", "Nachricht eingeben …")
    expect(visitor.panel.get_by_role("button", name="Ab die Post")).to_be_visible()


@pytest.mark.parametrize("locale", ["xx", "en_US", "not a locale at all", ""])
def test_a_locale_without_a_pack_is_english(visit: Visit, locale: str) -> None:
    visitor = visit(locale=locale).open()

    expect(visitor.send).to_be_visible()


def test_the_page_is_told_with_the_first_message_unless_switched_off(
    visit: Visit, upstream: Upstream, server: Server, site: Site
) -> None:
    def page_of(question: str) -> object:
        found = server.admin(f"/v1/admin/conversations?q={question}&limit=1").json
        return found["conversations"][0].get("pageUrl")

    upstream.script(tokens=["Yes."])
    visitor = visit().open().ask("pageistold").hears("Yes.")
    told = page_of("pageistold")
    address = visitor.page.url
    visitor.page.context.clear_cookies()
    visitor.page.evaluate("localStorage.clear()")
    visit(page="off").open().ask("pageisnottold").hears("Yes.")

    assert told == address
    assert page_of("pageisnottold") is None


def test_before_it_is_opened_it_asks_for_nothing_and_keeps_nothing(
    page: Page, site: Site, upstream: Upstream
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    address = site.page(locale="de", greeting="Hi", starters="a|b")
    page.goto(address)
    expect(page.locator("perch-chat .launcher")).to_be_visible()
    page.wait_for_load_state("networkidle")

    assert [url for url in asked if not url.endswith("favicon.ico")] == [
        address,
        f"{site.server_url}/widget/chat-widget.js",
    ]
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [
        0,
        0,
        "",
    ]


def test_a_session_is_minted_at_the_first_message(visit: Visit, upstream: Upstream) -> None:
    upstream.script(tokens=["Yes."])
    visitor = visit()
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))

    visitor.open()
    expect(visitor.input).to_be_visible()
    assert [name for name in asked if not name.startswith("panel.")] == []
    visitor.ask("Hello?").hears("Yes.")

    assert [name for name in asked if name in ("session", "chat")] == ["session", "chat"]


def test_an_original_visitors_session_goes_on(
    visit: Visit, upstream: Upstream, server: Server, context: object
) -> None:
    upstream.script(tokens=["Welcome back."])
    visitor = visit()
    visitor.page.evaluate("localStorage['os-chatbot-session-id'] = 'legacy-visitor-1'")

    visitor.open().ask("Me again").hears("Welcome back.")

    stored = server.admin("/v1/admin/conversations?limit=1").json["conversations"][0]
    assert stored["sessionId"] == "legacy-visitor-1"
