"""The demo page of a development server, and the picture in the README."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.servers.perch import Server
from tests.servers.site import Site
from tests.servers.upstream import Upstream
from tests.widget.axe import violations
from tests.widget.conftest import SCREENSHOTS
from tests.widget.visitor import Visitor

PICTURE = Path(__file__).parents[2] / "docs" / "widget.png"
ANSWER = """Perch puts an assistant on any page with **one script tag**:

```html
<script src="…/chat-widget.js" defer></script>
```

| It weighs | Compared |
|---|---|
| 4 KB, then 16 KB | *110 KB and more* |

See [the docs](https://example.com/docs) for all options."""


def test_options_change_the_widget_and_the_tag_to_copy(
    page: Page, server: Server, upstream: Upstream
) -> None:
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    upstream.script(tokens=["Hello."])
    page.goto(f"{server.url}/demo/widget")
    assert violations(page) == []

    page.get_by_label("Title").fill('Ask "us"')
    page.get_by_label("Language").select_option("de")
    page.get_by_label("Theme").select_option("dark")

    snippet = page.locator("#snippet")
    expect(snippet).to_contain_text('data-title="Ask &quot;us&quot;"')
    expect(snippet).to_contain_text('data-theme="dark"')
    page.get_by_role("button", name="PerchChat.open()").click()
    visitor = Visitor(page)
    expect(visitor.panel).to_have_accessible_name('Ask "us"')
    visitor.ask("Hallo?").hears("Hello.")
    expect(page.locator("#events")).to_contain_text("perch:message")
    assert troubles == []


def test_the_module_is_mounted_with_the_same_options(
    page: Page, server: Server, upstream: Upstream, screenshot: Callable[[Page, str], None]
) -> None:
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    upstream.script(tokens=["Hello."])
    page.goto(f"{server.url}/demo/widget#title=Shop&by=module&starters=One%7CTwo&datalayer=on")
    visitor = Visitor(page)
    expect(page.locator("#snippet")).to_contain_text('starters: ["One","Two"],\n  dataLayer: true')

    page.get_by_role("button", name="widget.open()").click()
    visitor.panel.get_by_role("button", name="Two").click()
    visitor.hears("Hello.")

    expect(visitor.panel).to_have_accessible_name("Shop")
    expect(page.locator("#layer")).to_contain_text("perch_answered")
    screenshot(page, "demo-module")
    page.get_by_label("Brought by").select_option("The tag")
    expect(page.locator("#snippet")).to_contain_text('data-starters="One|Two"')
    visitor.hears("Hello.")
    expect(visitor.host).to_have_count(1)
    page.get_by_role("button", name="PerchChat.destroy()").click()
    expect(visitor.host).to_have_count(0)
    assert troubles == []


def test_the_snippet_on_the_page_can_be_used_as_it_stands(
    page: Page, server: Server, site: Site
) -> None:
    page.goto(f"{server.url}/demo/widget#title=Copied")
    snippet = page.locator("#snippet").inner_text()

    page.goto(site.add(f"<!doctype html><title>x</title><h1>x</h1>{snippet}"))

    expect(Visitor(page).launcher).to_have_accessible_name("Copied")


def test_the_picture_of_the_readme(browser: Browser, server: Server, upstream: Upstream) -> None:
    """Remove ``docs/widget.png``, and the next run makes it anew."""
    upstream.script(tokens=[ANSWER])
    page = browser.new_page(viewport={"width": 1500, "height": 780}, color_scheme="light")
    page.goto(f"{server.url}/demo/widget#title=Perch")
    visitor = Visitor(page).open().ask("What is Perch?")
    expect(visitor.answers.locator("table")).to_be_visible()
    expect(visitor.button("Answer again")).to_be_visible()

    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(
        path=PICTURE if not PICTURE.exists() else SCREENSHOTS / "readme.png", animations="disabled"
    )
    page.close()

    assert PICTURE.stat().st_size > 20_000
