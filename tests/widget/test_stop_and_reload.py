"""Gate 10: a reload shows what was said; stop stops the model; an answer can be had anew."""

from playwright.sync_api import BrowserContext, expect

from tests.servers.perch import Server
from tests.servers.site import Site
from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit
from tests.widget.visitor import Visitor

WORDS = [f"word{n} " for n in range(50)]


def test_a_reload_during_an_answer_goes_on_where_it_is(
    visit: Visit, upstream: Upstream, server: Server
) -> None:
    upstream.script(tokens=WORDS, fault="stall", at=3)
    visitor = visit().open().ask("Go on")
    expect(visitor.answers).to_have_text(["word0 word1 word2"])

    for _ in range(2):
        visitor.page.reload()
        expect(visitor.answers).to_have_text(["word0 word1 word2"])
        expect(visitor.questions).to_have_text(["Go on"])
        expect(visitor.stop).to_be_visible()
    upstream.release()

    visitor.hears("".join(WORDS).strip())
    assert len(upstream.requests) == 1
    stored = server.admin("/v1/admin/conversations?limit=1").json["conversations"][0]
    assert server.said(stored["_id"]) == [("user", "Go on"), ("assistant", "".join(WORDS).strip())]


def test_an_answer_that_nobody_came_back_to_can_be_had_again(
    context: BrowserContext, upstream: Upstream
) -> None:
    with Server.over(upstream, LEAVE_GRACE_S="0") as server, Site(server.url) as site:
        visitor = Visitor(context.new_page())
        address = site.page()
        visitor.page.goto(address)
        upstream.script(tokens=WORDS, fault="stall", at=3)
        visitor.open().ask("Go on")
        expect(visitor.answers).to_have_text(["word0 word1 word2"])

        visitor.page.goto("about:blank")
        assert upstream.wait_for_request().left(within_s=5)
        visitor.page.goto(address)

        expect(visitor.answers).to_have_text(["word0 word1 word2"])
        expect(visitor.log).to_contain_text("The answer was interrupted.")
        upstream.script(tokens=["All."])
        visitor.button("Answer again").click()
        visitor.hears("All.")
        expect(visitor.questions).to_have_text(["Go on"])


def test_stop_stops_the_model_and_keeps_what_was_said(
    visit: Visit, upstream: Upstream, server: Server
) -> None:
    upstream.script(tokens=WORDS, fault="stall", at=3)
    visitor = visit().open().ask("Go on")
    expect(visitor.answers).to_have_text(["word0 word1 word2"])

    visitor.stop.click()

    assert upstream.wait_for_request().left(within_s=1)
    expect(visitor.send).to_be_visible()
    expect(visitor.log).to_contain_text("Stopped.")
    visitor.page.reload()
    expect(visitor.answers).to_have_text(["word0 word1 word2"])
    stored = server.admin("/v1/admin/conversations?limit=1").json["conversations"][0]
    assert server.said(stored["_id"]) == [("user", "Go on"), ("assistant", "word0 word1 word2")]


def test_an_original_visitor_can_stop_too(visit: Visit, upstream: Upstream) -> None:
    upstream.script(tokens=WORDS, fault="stall", at=3)
    visitor = visit()
    visitor.page.evaluate("localStorage['os-chatbot-session-id'] = 'legacy-visitor-2'")
    visitor.open().ask("Go on")
    expect(visitor.answers).to_have_text(["word0 word1 word2"])

    visitor.stop.click()

    assert upstream.wait_for_request().left(within_s=1)
    expect(visitor.log).to_contain_text("Stopped.")


def test_a_new_answer_takes_the_place_of_the_old(
    visit: Visit, upstream: Upstream, server: Server
) -> None:
    upstream.script(tokens=["First."])
    visitor = visit().open().ask("Well?").hears("First.")
    upstream.script(tokens=["Second."])

    visitor.button("Answer again").click()
    visitor.hears("Second.")

    stored = server.admin("/v1/admin/conversations?limit=1").json["conversations"][0]
    assert server.said(stored["_id"]) == [("user", "Well?"), ("assistant", "Second.")]


def test_an_answer_at_its_length_limit_says_so(visit: Visit, upstream: Upstream) -> None:
    upstream.script(tokens=["And", " so"], finish="length")
    visitor = visit().open().ask("Go on").hears("And so")

    expect(visitor.log).to_contain_text("The answer was cut short.")


def test_thumbs_are_stored_and_come_back(visit: Visit, upstream: Upstream, server: Server) -> None:
    upstream.script(tokens=["Yes."])
    visitor = visit().open().ask("Well?").hears("Yes.")

    visitor.button("Good answer").click()
    expect(visitor.button("Good answer")).to_have_attribute("aria-pressed", "true")
    visitor.button("Bad answer").click()
    expect(visitor.button("Good answer")).to_have_attribute("aria-pressed", "false")

    visitor.page.reload()
    expect(visitor.button("Bad answer")).to_have_attribute("aria-pressed", "true")
    stored = server.admin("/v1/admin/conversations?limit=1").json["conversations"][0]
    assert server.messages(stored["_id"])[1]["feedback"]["rating"] == "down"


def test_an_answer_and_its_code_can_be_copied(visit: Visit, upstream: Upstream) -> None:
    upstream.script(tokens=["Do **this**:\n\n```sh\nls -l\n```"])
    visitor = visit()
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.open().ask("How?")
    expect(visitor.button("Answer again")).to_be_visible()  # the answer's own buttons are there
    copied = "navigator.clipboard.readText()"

    visitor.button("Copy").click()
    expect(visitor.button("Copied")).to_be_visible()
    assert visitor.page.evaluate(copied) == "Do **this**:\n\n```sh\nls -l\n```"
    visitor.page.locator("perch-chat .code > .copy").click()
    visitor.page.wait_for_function(f"{copied}.then((text) => text == 'ls -l')")
