"""The widget as an ES module: several on a page, mounted, replaced and destroyed."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.docs.blocks import ROOT
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.site import PAGE, Site
from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit
from tests.widget.recipes import bundle, node
from tests.widget.test_size import LAUNCHER_LIMIT_B
from tests.widget.visitor import Visitor

Mount = Callable[..., Visitor]


@pytest.fixture
def mount(page: Page, site: Site, server: Server) -> Mount:
    """Mounts a widget as ``window[name]``, on a page without one where ``anew``."""

    def mount(name: str = "widget", *, anew: bool = True, **options: object) -> Visitor:
        given = {"apiUrl": f"{server.url}/chat", "apiKey": WIDGET_KEY, **options}
        if anew:
            page.goto(site.add(PAGE.format(body="<div id=place></div>", script="")))
        page.evaluate(
            f"""async (given) => {{
                const {{ mount }} = await import("{server.url}/widget/perch.js");
                if (given.inline === "an element") given.inline = document.querySelector("#place");
                window.{name} = mount(given);
            }}""",
            given,
        )
        return Visitor(page)

    return mount


def test_a_mounted_widget_answers_calls_and_tells_events(
    mount: Mount, page: Page, upstream: Upstream
) -> None:
    upstream.script(tokens=["Yes."])
    visitor = mount(title="Support", starters=["One?", "Two?"], texts={"send": "Off you go"})
    page.evaluate(
        """() => {
            window.heard = [];
            for (const name of ["open", "message", "close"])
                widget.on(name, ({ detail }) => heard.push(detail ? detail.content : name));
            const end = widget.on("message", () => heard.push("unheard"));
            end();
        }"""
    )

    page.evaluate("widget.open()")
    expect(visitor.panel.get_by_role("button", name="Two?")).to_be_visible()
    expect(visitor.panel.get_by_role("button", name="Off you go")).to_be_visible()
    page.evaluate("widget.ask('Really?')")
    visitor.hears("Yes.")
    page.evaluate("widget.close()")

    expect(visitor.panel).to_be_hidden()
    assert page.evaluate("heard") == ["open", "Really?", "Yes.", "close"]
    assert page.evaluate("widget.element.localName") == "perch-chat"
    assert page.evaluate("'PerchChat' in window") is False


def test_two_assistants_stand_on_one_page(mount: Mount, page: Page, upstream: Upstream) -> None:
    upstream.script(tokens=["Yes."])
    visitor = mount("shop", title="Shop")
    mount("other", anew=False, title="Other", apiKey="another", position="left")
    expect(visitor.host).to_have_count(2)

    page.evaluate("shop.ask('Hello?'); other.ask('And you?')")

    shop, other = (page.get_by_role("dialog", name=name) for name in ("Shop", "Other"))
    expect(shop.locator(".list > .answer:visible > .text")).to_have_text("Yes.")
    expect(other).to_contain_text("The assistant cannot be used on this page.")
    page.evaluate("other.destroy()")
    expect(visitor.host).to_have_count(1)
    expect(shop).to_be_visible()


def test_mounted_again_it_replaces_the_former_and_shows_the_conversation(
    mount: Mount, page: Page, upstream: Upstream
) -> None:
    upstream.script(tokens=["Yes."])
    visitor = mount("first", title="First")
    page.evaluate("first.ask('Really?')")
    visitor.hears("Yes.")

    mount("second", anew=False, title="Second")
    page.evaluate("first.ask('Lost'); first.open(); first.destroy()")

    expect(visitor.host).to_have_count(1)
    expect(visitor.panel).to_have_accessible_name("Second")
    visitor.hears("Yes.")
    visitor.ask("Sure?").hears("Yes.", 1)
    expect(visitor.questions).to_have_text(["Really?", "Sure?"])


def test_it_takes_the_place_of_the_tags_widget_of_the_same_assistant(
    visit: Visit, mount: Mount, page: Page, upstream: Upstream
) -> None:
    upstream.script(tokens=["Yes."])
    visit(title="Tag").open().ask("Really?").hears("Yes.")

    visitor = mount(anew=False, title="Module")

    expect(visitor.host).to_have_count(1)
    expect(visitor.panel).to_have_accessible_name("Module")
    visitor.hears("Yes.")
    assert page.evaluate("typeof PerchChat") == "undefined"


def test_an_element_of_the_page_holds_it(mount: Mount, page: Page, upstream: Upstream) -> None:
    upstream.script(tokens=["Here."])
    visitor = mount(inline="an element")
    page.evaluate("document.querySelector('#place').style.height = '500px'")

    visitor.ask("Where?").hears("Here.")

    expect(page.locator("#place > perch-chat")).to_have_count(1)
    expect(visitor.launcher).to_be_hidden()
    assert visitor.panel.bounding_box() == page.locator("#place").bounding_box()


def test_a_phone_may_open_it_at_once(mount: Mount, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    visitor = mount()

    page.evaluate("widget.open()")

    expect(visitor.input).to_be_visible()
    box = visitor.panel.bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 844}


@pytest.mark.parametrize("wrong", [{"apiUrl": ""}, {"apiKey": " "}, {"apiUrl": "mailto:a@b.test"}])
def test_wrong_options_are_an_error_and_no_widget(
    mount: Mount, page: Page, wrong: dict[str, str]
) -> None:
    with pytest.raises(Exception, match=r"TypeError: \[perch\] mount\(\) needs apiUrl") as failed:
        mount(**wrong)

    assert "web address of a chat" in str(failed.value)
    expect(page.locator("perch-chat")).to_have_count(0)


def test_a_copy_in_the_sites_own_bundle_takes_the_rest_from_the_server(
    page: Page, site: Site, server: Server, upstream: Upstream, tmp_path: Path
) -> None:
    upstream.script(tokens=["Ja."])
    options = {"apiUrl": f"{server.url}/chat", "apiKey": WIDGET_KEY, "locale": "de"}
    files = {
        "app.js": f'import {{ mount }} from "./perch.js";\nmount({json.dumps(options)}).open();',
        "perch.js": server.request("GET", "/widget/perch.js").body.decode(),
    }
    page.goto(site.add(PAGE.format(body="", script="")))
    page.add_script_tag(path=bundle(tmp_path, files), type="module")

    visitor = Visitor(page)

    expect(visitor.input).to_have_attribute("placeholder", "Nachricht eingeben …")
    visitor.ask("Wirklich?").hears("Ja.")


def test_a_server_may_import_it(server: Server, tmp_path: Path) -> None:
    module = tmp_path / "perch.mjs"
    module.write_text(server.request("GET", "/widget/perch.js").body.decode())
    program = f"import {{ mount }} from {json.dumps(str(module))}; console.log(typeof mount)"

    assert node("--input-type=module", "-e", program) == "function\n"


def test_it_weighs_no_more_than_the_tags_script() -> None:
    module = ROOT / "widget_dist" / "perch.js"
    packed = Path(f"{module}.gz").read_bytes()

    assert gzip.decompress(packed) == module.read_bytes()
    assert len(packed) <= LAUNCHER_LIMIT_B


def test_bundlers_leave_its_import_of_the_panel_to_the_browser() -> None:
    module = (ROOT / "widget_dist" / "perch.js").read_text()

    assert re.search(r"import\(\s*/\* webpackIgnore: true \*/\s*/\* @vite-ignore \*/", module)
