"""Gate 9: one question is stored once, however often it is fired."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.live.eventually import eventually
from tests.servers.perch import Server
from tests.servers.site import Site
from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit
from tests.widget.visitor import Visitor
from tests.widget.wire import Wire

COMPOSING = """(e, init) => e.dispatchEvent(
    new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...init }))"""


def stored(server: Server) -> list[tuple[str, str]]:
    """What the newest conversation holds."""
    newest = server.admin("/v1/admin/conversations?limit=1").json["conversations"][0]
    return server.said(newest["_id"])


def test_a_double_enter_and_a_double_click_ask_once(
    visit: Visit, upstream: Upstream, server: Server
) -> None:
    upstream.script(tokens=["Yes."], first_ms=100)
    visitor = visit().open().ask("Twice?")
    visitor.input.press("Enter")
    visitor.hears("Yes.")
    visitor.input.fill("And now?")
    visitor.send.dblclick()
    expect(visitor.answers).to_have_count(2)

    assert stored(server) == [
        ("user", "Twice?"),
        ("assistant", "Yes."),
        ("user", "And now?"),
        ("assistant", "Yes."),
    ]


def test_enter_that_ends_a_composed_word_does_not_send(visit: Visit, upstream: Upstream) -> None:
    visitor = visit().open()
    visitor.input.fill("にほん")

    visitor.input.evaluate(COMPOSING, {"isComposing": True})
    visitor.input.evaluate(COMPOSING, {"keyCode": 229})

    expect(visitor.input).to_have_value("にほん")
    expect(visitor.questions).to_have_count(0)
    assert upstream.requests == []


def test_text_that_is_written_during_an_answer_waits(visit: Visit, upstream: Upstream) -> None:
    upstream.script(tokens=["One", " two"], fault="stall", at=1)
    visitor = visit().open().ask("Count")
    expect(visitor.answers).to_have_text(["One"])

    visitor.ask("Faster")
    expect(visitor.input).to_have_value("Faster")
    upstream.release()
    visitor.hears("One two")

    expect(visitor.input).to_have_value("Faster")
    expect(visitor.questions).to_have_count(1)


@pytest.mark.parametrize(
    "trouble",
    [{"status": 500}, {"fault": "cut"}, {"fault": "reset"}, {"fault": "end"}, {"fault": "html"}],
    ids=str,
)
def test_retry_after_trouble_with_the_model(
    visit: Visit, upstream: Upstream, server: Server, trouble: dict[str, str]
) -> None:
    upstream.script(**trouble)
    visitor = visit().open().ask("Is it open?")
    expect(visitor.notice).to_be_visible()
    upstream.script(tokens=["Yes."])

    visitor.retry.dblclick()
    visitor.hears("Yes.")

    expect(visitor.answers).to_have_text(["Yes."])
    expect(visitor.notice).to_be_hidden()
    assert stored(server) == [("user", "Is it open?"), ("assistant", "Yes.")]


def test_a_network_that_was_cut_costs_no_word(
    page: Page, site: Site, upstream: Upstream, server: Server
) -> None:
    upstream.script(tokens=["One", " two"], fault="stall", at=1)
    with Wire(server.address) as wire:
        page.goto(site.page(api_url=f"{wire.url}/chat"))
        visitor = Visitor(page).open().ask("Count")
        expect(visitor.answers).to_have_text(["One"])

        with page.expect_response("**/v1/turns/*/stream"):
            wire.cut()
        expect(visitor.answers).to_have_text(["One"])
        upstream.release()
        visitor.hears("One two")

        assert len(upstream.requests) == 1
        assert stored(server) == [("user", "Count"), ("assistant", "One two")]


def test_offline_the_question_is_kept_and_sent_when_the_network_is_back(
    visit: Visit, context: BrowserContext, upstream: Upstream, server: Server
) -> None:
    upstream.script(tokens=["Welcome back."])
    visitor = visit().open()
    context.set_offline(True)

    visitor.ask("Anybody there?")
    expect(visitor.notice).to_contain_text("You are offline.")
    expect(visitor.questions).to_have_text(["Anybody there?"])
    context.set_offline(False)

    visitor.hears("Welcome back.")
    assert stored(server) == [("user", "Anybody there?"), ("assistant", "Welcome back.")]


def test_a_question_that_was_not_sent_survives_a_reload(
    visit: Visit, context: BrowserContext, upstream: Upstream, server: Server
) -> None:
    upstream.script(tokens=["At last."])
    with Wire(server.address) as wire:
        visitor = visit(api_url=f"{wire.url}/chat").open()
        context.route(f"{wire.url}/**", lambda route: route.abort())
        visitor.ask("Hear me?")
        expect(visitor.notice).to_be_visible()
        context.unroute(f"{wire.url}/**")

        visitor.page.reload()
        expect(visitor.notice).to_contain_text("Not sent.")
        visitor.retry.click()
        visitor.hears("At last.")

    assert stored(server) == [("user", "Hear me?"), ("assistant", "At last.")]


@pytest.fixture(scope="module")
def strict_server(session_upstream: Upstream) -> Iterator[Server]:
    """A server that lets a visitor ask once in five seconds."""
    limits = {"RATE_LIMIT_WINDOW_MS": "5000", "RATE_LIMIT_MAX_REQUESTS": "1"}
    with Server.over(session_upstream, **limits) as server:
        yield server


def test_a_limit_counts_down_and_then_lets_the_same_question_through(
    page: Page, site: Site, upstream: Upstream, strict_server: Server
) -> None:
    upstream.script(tokens=["Yes."])
    page.goto(site.page(api_url=f"{strict_server.url}/chat"))
    visitor = Visitor(page).open().ask("One?").hears("Yes.")

    visitor.ask("Two?")
    expect(visitor.notice).to_contain_text("Too many messages.")
    expect(visitor.retry).to_be_disabled()
    expect(visitor.retry).to_contain_text("00:0")
    expect(visitor.retry).to_be_enabled()
    visitor.retry.click()
    expect(visitor.answers).to_have_count(2)

    eventually(lambda: len(stored(strict_server)) == 4)
    assert [content for role, content in stored(strict_server) if role == "user"] == [
        "One?",
        "Two?",
    ]
