"""Gate 11: two tabs show one thread."""

from playwright.sync_api import BrowserContext, expect

from tests.servers.perch import Server
from tests.servers.site import Site
from tests.servers.upstream import Upstream
from tests.widget.visitor import Visitor


def test_two_tabs_show_one_thread(
    context: BrowserContext, site: Site, upstream: Upstream, server: Server
) -> None:
    address = site.page()
    first, second = (Visitor(context.new_page()) for _ in range(2))
    for visitor in (first, second):
        visitor.page.goto(address)
    upstream.script(tokens=["One", " two"], fault="stall", at=1)

    # The second tab sees the question of the first, and its answer as it is written.
    first.open()
    second.open()
    first.ask("Count")
    expect(first.answers).to_have_text(["One"])
    expect(second.questions).to_have_text(["Count"])
    expect(second.answers).to_have_text(["One"])
    upstream.release()
    second.hears("One two")

    # And the other way round, in the same conversation.
    upstream.script(tokens=["Three."])
    second.ask("And then?")
    expect(second.answers).to_have_text(["One two", "Three."])
    expect(first.answers).to_have_text(["One two", "Three."])
    expect(first.questions).to_have_text(["Count", "And then?"])
    stored = server.admin("/v1/admin/conversations?limit=1").json["conversations"][0]
    assert len(server.said(stored["_id"])) == 4


def test_a_tab_that_asks_while_the_other_is_answered_comes_next(
    context: BrowserContext, site: Site, upstream: Upstream, server: Server
) -> None:
    address = site.page()
    first, second = (Visitor(context.new_page()) for _ in range(2))
    first.page.goto(address)
    upstream.script(tokens=["Hello."])
    first.open().ask("Hello?").hears("Hello.")
    # The second tab has not heard of the first one's question when it asks its own.
    second.page.add_init_script("addEventListener('storage', (e) => e.stopImmediatePropagation())")
    second.page.goto(address)
    expect(second.answers).to_have_text(["Hello."])
    upstream.next(tokens=["One", " two"], fault="stall", at=1)
    first.ask("Count")
    expect(first.answers.last).to_have_text("One")
    upstream.script(tokens=["Yes."])
    second.ask("Me too?")
    expect(second.questions.last).to_have_text("Me too?")
    upstream.release()

    expect(second.answers.last).to_have_text("Yes.")
    expect(first.answers).to_have_text(["Hello.", "One two", "Yes."])


def test_deleting_in_one_tab_clears_the_other_and_the_store(
    context: BrowserContext, site: Site, upstream: Upstream, server: Server
) -> None:
    upstream.script(tokens=["Forget", " it."])
    address = site.page()
    first, second = (Visitor(context.new_page()) for _ in range(2))
    first.page.goto(address)
    first.open().ask("Secret?").hears("Forget it.")
    second.page.goto(address)
    expect(second.answers).to_have_text(["Forget it."])
    stored = server.admin("/v1/admin/conversations?limit=1").json["conversations"][0]["_id"]

    first.menu.click()
    first.panel.get_by_role("button", name="Delete my conversation").click()
    first.panel.get_by_role("button", name="Delete for good?").click()

    for visitor in (first, second):
        expect(visitor.answers).to_have_count(0)
    assert server.admin(f"/v1/admin/conversations/{stored}").status == 404
    kept = first.page.evaluate("Object.keys(localStorage)")
    assert [key for key in kept if key.startswith("perch-session-")] == []


def test_a_new_conversation_leaves_the_old_one_to_the_operator(
    context: BrowserContext, site: Site, upstream: Upstream, server: Server
) -> None:
    upstream.script(tokens=["Yes."])
    visitor = Visitor(context.new_page())
    visitor.page.goto(site.page())
    visitor.open().ask("Old?").hears("Yes.")

    visitor.menu.click()
    visitor.panel.get_by_role("button", name="New conversation").click()
    expect(visitor.questions).to_have_count(0)
    visitor.ask("New?").hears("Yes.")

    newest = server.admin("/v1/admin/conversations?limit=2").json["conversations"]
    assert [server.said(each["_id"])[0] for each in newest] == [("user", "New?"), ("user", "Old?")]


def test_an_answer_that_comes_while_closed_is_counted_on_the_launcher(
    context: BrowserContext, site: Site, upstream: Upstream
) -> None:
    upstream.script(tokens=["One", " two"], fault="stall", at=1)
    visitor = Visitor(context.new_page())
    visitor.page.goto(site.page())
    visitor.open().ask("Count")
    expect(visitor.answers).to_have_text(["One"])

    visitor.launcher.click()
    upstream.release()

    expect(visitor.launcher).to_have_accessible_name("Assistant (1)")
    visitor.open()
    expect(visitor.launcher).to_have_accessible_name("Assistant")
