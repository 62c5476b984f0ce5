"""Options as pages really write them, and where they are found."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.site import PAGE, Site, tag
from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit
from tests.widget.visitor import Visitor


@pytest.mark.parametrize("path", ["/chat", "./chat", "", "/v1/chat/stream", " /chat/?a=1#b "])
def test_an_address_is_read_as_a_browser_reads_it(
    page: Page, server: Server, upstream: Upstream, path: str
) -> None:
    upstream.script(tokens=["Yes."])
    address = path if path.strip().startswith((".", "/c")) else server.url + path
    document = PAGE.format(body="", script=tag(server.url, api_url=address))
    headers = {"content-type": "text/html"}
    page.route(f"{server.url}/page", lambda route: route.fulfill(body=document, headers=headers))
    page.goto(f"{server.url}/page")

    Visitor(page).open().ask("Hello?").hears("Yes.")


@pytest.mark.parametrize("address", ["https://", "mailto:a@b.test", "http://[x]/chat"])
def test_what_is_no_address_is_one_line_of_its_own(page: Page, visit: Visit, address: str) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    visitor = visit(api_url=address)

    expect(visitor.host).to_have_count(0)
    assert said == [f"[perch] No address: data-api-url={address}"]


def test_spaces_capitals_and_nonsense_do_no_harm(page: Page, visit: Visit) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    visitor = visit(
        theme=" Dark ", position="LEFT", size="huge", accent_color="nonsense", z_index="top",
        inline="#(", dir="sideways", title="  ", starters=" | What? ||", texts="{no",
    ).open()  # fmt: skip

    expect(visitor.panel).to_have_accessible_name("Assistant")
    expect(visitor.panel).to_have_css("background-color", "rgb(18, 22, 29)")
    expect(visitor.panel.get_by_role("button", name="What?")).to_be_visible()
    expect(page.locator("perch-chat .starter")).to_have_count(1)
    expect(visitor.launcher).not_to_have_css("background-color", "rgba(0, 0, 0, 0)")
    box = visitor.panel.bounding_box()
    assert box is not None
    assert box["x"] < 100
    assert errors == []


def test_a_script_without_attributes_takes_the_pages_configuration(
    page: Page, site: Site, upstream: Upstream
) -> None:
    upstream.script(tokens=["Yes."])
    options = f'{{ apiUrl: "{site.server_url}/chat", apiKey: "{WIDGET_KEY}", starters: ["One?"] }}'
    script = (
        f"<script>window.PerchChatConfig = {options}</script>"
        f'<script type="module" src="{site.server_url}/widget/chat-widget.js"></script>'
    )
    page.goto(site.add(PAGE.format(body="", script=script)))
    visitor = Visitor(page).open()

    visitor.panel.get_by_role("button", name="One?").click()

    visitor.hears("Yes.")


def test_joined_with_other_scripts_it_finds_its_tag(page: Page, site: Site) -> None:
    """What optimizers do: the file runs under another name, the tag stays without running."""
    idle = tag(site.server_url, title="Kept").replace("<script ", '<script type="text/plain" ')
    joined = '<script src="/joined.js"></script>'

    def join(route: Route) -> None:
        route.fulfill(response=route.fetch(url=f"{site.server_url}/widget/chat-widget.js"))

    page.route("**/joined.js", join)
    page.goto(site.add(PAGE.format(body="", script=idle + joined)))

    expect(Visitor(page).launcher).to_have_accessible_name("Kept")


@pytest.mark.parametrize(
    "taken", ["<i id=PerchChat></i>", "<script>window.PerchChat = { theme: 'dark' }</script>"]
)
def test_a_name_that_is_taken_is_told_and_the_widget_works(
    page: Page, visit: Visit, taken: str
) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))

    visit(taken).open()

    assert said == ["[perch] PerchChat is taken: use PerchChatConfig"]


def test_two_assistants_on_one_page_share_nothing(
    page: Page, site: Site, server: Server, upstream: Upstream
) -> None:
    upstream.script(tokens=["Yes."])
    other = tag(f"{server.url}", title="Other", position="left", api_key="another-key")
    page.goto(site.page(other, title="Shop"))
    expect(page.locator("perch-chat")).to_have_count(2)
    page.get_by_role("button", name="Shop").click()
    shop = page.get_by_role("dialog", name="Shop")
    shop.get_by_role("textbox").fill("Hello?")
    shop.get_by_role("textbox").press("Enter")
    expect(shop.locator(".list > .answer:visible > .text")).to_have_text("Yes.")

    page.get_by_role("button", name="Other").click()
    dialog = page.get_by_role("dialog", name="Other")
    dialog.get_by_role("textbox").fill("And you?")
    dialog.get_by_role("textbox").press("Enter")

    expect(dialog).to_contain_text("The assistant cannot be used on this page.")
    expect(shop.locator(".list > .answer:visible > .text")).to_have_text("Yes.")
    tokens = page.evaluate("Object.keys(localStorage).filter((k) => k.startsWith('perch-token-'))")
    assert len(tokens) == 1


def test_former_names_are_read_once_and_moved(visit: Visit, page: Page, upstream: Upstream) -> None:
    upstream.script(tokens=["Yes."])
    visitor = visit().open().ask("One?").hears("Yes.")
    page.evaluate(
        """() => { for (const key of Object.keys(localStorage)) {
            const [, name] = key.match(/^perch-(session|token|open)-/) || [];
            const former = { session: "os-chatbot-session-id", token: "perch-token",
                             open: "os-chatbot-widget-open" }[name];
            if (former) { localStorage[former] = localStorage[key]; delete localStorage[key]; }
        } }"""
    )

    page.reload()

    visitor.hears("Yes.")
    kept = page.evaluate("Object.keys(localStorage)")
    assert not {"os-chatbot-session-id", "perch-token"} & set(kept)
