"""Each recipe of ``docs/recipes.md`` in the browser, with the frameworks themselves."""

import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.docs.blocks import ROOT
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.site import PAGE, Site
from tests.servers.upstream import Upstream
from tests.widget import recipe_pages as pages
from tests.widget.recipes import CLIENTS, bundle, node, read_php, recipe
from tests.widget.visitor import Visitor

FRAMEWORKS = {
    "react": ("jsx", "export function Assistant", "Assistant.jsx", {"app.jsx": pages.REACT}),
    "vue": ("vue", "onBeforeUnmount", "Assistant.vue", {"app.js": pages.VUE}),
    "svelte": (
        "svelte", "onMount", "Assistant.svelte",
        {"app.js": pages.SVELTE, "App.svelte": pages.SVELTE_APP},
    ),
}  # fmt: skip


@pytest.fixture
def bare(site: Site) -> str:
    """The address of a page without a widget."""
    return site.add(PAGE.format(body="", script=""))


@pytest.fixture
def troubles(page: Page) -> list[str]:
    """What the page throws and complains of."""
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda m: heard.append(m.text) if m.type in ("error", "warning") else None)
    return heard


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_component_comes_and_goes_with_its_conversation(
    framework: str, page: Page, bare: str, server: Server, upstream: Upstream,
    tmp_path: Path, troubles: list[str],
) -> None:  # fmt: skip
    upstream.script(tokens=["Nine."])
    language, mark, name, files = FRAMEWORKS[framework]
    page.goto(bare)
    page.add_script_tag(
        path=bundle(tmp_path, {**files, name: recipe(server, language, mark)}), type="module"
    )
    visitor = Visitor(page)
    expect(visitor.launcher).to_have_accessible_name("Support")
    visitor.open().ask("When?").hears("Nine.")

    page.locator("#toggle").click()
    expect(visitor.host).to_have_count(0)
    page.locator("#toggle").click()

    expect(visitor.host).to_have_count(1)
    visitor.hears("Nine.")
    upstream.script(tokens=["Ten."])
    visitor.ask("Sure?").hears("Ten.")
    assert troubles == []


def test_react_has_it_inside_the_page_and_hears_it(
    page: Page, bare: str, server: Server, upstream: Upstream, tmp_path: Path, troubles: list[str]
) -> None:
    upstream.script(tokens=["Nine."])
    page.goto(bare)
    files = {"app.jsx": pages.REACT_INLINE, "InlineAssistant.jsx": recipe(server, "jsx", "useRef")}
    page.add_script_tag(path=bundle(tmp_path, files), type="module")

    visitor = Visitor(page)
    visitor.ask("When?").hears("Nine.")

    expect(page.locator("output")).to_have_text("Nine.")
    box = visitor.panel.bounding_box()
    assert box is not None
    assert box["height"] == 560
    assert troubles == []


def test_next_renders_it_on_the_server_and_mounts_it_in_the_browser(
    page: Page, site: Site, server: Server, upstream: Upstream, tmp_path: Path, troubles: list[str]
) -> None:
    upstream.script(tokens=["Nine."])
    files = {
        "assistant.jsx": recipe(server, "jsx", '"use client"'),
        "layout.jsx": recipe(server, "jsx", "RootLayout"),
    }
    rendered = node(bundle(tmp_path, {"a.jsx": pages.NEXT_SERVER, **files}, for_node=True))
    script = bundle(tmp_path, {"b.jsx": pages.NEXT_BROWSER, **files})
    page.goto(site.add("<!doctype html>" + rendered.strip()))
    # Without a tag: that would be no part of what was rendered.
    page.evaluate("(code) => (0, eval)(code)", script.read_text())

    Visitor(page).open().ask("When?").hears("Nine.")

    expect(page.locator("main")).to_have_text("A page")
    assert troubles == []


def test_turbo_keeps_the_conversation_and_what_is_typed_from_page_to_page(
    page: Page, site: Site, server: Server, upstream: Upstream, troubles: list[str]
) -> None:
    upstream.script(tokens=["Nine."])
    turbo = CLIENTS / "node_modules/@hotwired/turbo/dist/turbo.es2017-esm.js"
    page.route("**/turbo.js", lambda route: route.fulfill(path=turbo))
    head = f"""<!doctype html><html lang=en><head><title>A shop</title>
        <script type="module" src="/turbo.js"></script>
        {recipe(server, "html", "turbo-track")}</head>"""
    second = site.add(f"{head}<body><h1>Second</h1></body></html>")
    page.goto(site.add(f"{head}<body><h1>First</h1><a href='{second}'>On</a></body></html>"))
    visitor = Visitor(page).open().ask("When?").hears("Nine.")
    visitor.input.fill("half a quest")
    page.evaluate("window.isSame = true")

    # By script, as a visitor's key does it: a click would take the focus.
    page.evaluate("Turbo.visit(document.querySelector('a').href)")
    expect(page.locator("h1")).to_have_text("Second")

    expect(visitor.panel).to_be_visible()
    expect(visitor.input).to_have_value("half a quest")
    expect(visitor.input).to_be_focused()
    page.keyboard.type("ion")
    expect(visitor.input).to_have_value("half a question")
    visitor.hears("Nine.")
    page.go_back()
    expect(page.locator("h1")).to_have_text("First")
    expect(visitor.host).to_have_count(1)
    visitor.ask("Still?").hears("Nine.")
    assert page.evaluate("isSame")
    assert troubles == []


def test_wordpress_prints_the_tag(
    page: Page, site: Site, server: Server, upstream: Upstream, tmp_path: Path
) -> None:
    """WordPress does not run here: its plugin is parsed, and its tag is made of what it says."""
    upstream.script(tokens=["Nine."])
    plugin = read_php(ROOT / "docs" / "wordpress" / "perch.php")
    assert set(plugin["calls"]) == {
        "add_action", "apply_filters", "defined", "get_bloginfo", "untrailingslashit",
        "wp_print_script_tag",
    }  # fmt: skip
    for mark, entries in (("PERCH_URL", {}), ("add_filter", {})):
        lines = tmp_path / "lines.php"
        lines.write_text("<?php\n" + recipe(server, "php", mark))
        assert read_php(lines)["entries"] == entries
    values = {
        "{server}": server.url, "{PERCH_KEY}": WIDGET_KEY, "{get_bloginfo}": "A shop", "{true}": "",
    }  # fmt: skip
    attributes = " ".join(
        f'{name}="{re.sub(r"{.*?}", lambda found: values[found[0]], value)}"'
        for name, value in plugin["entries"].items()
    )
    page.goto(site.add(PAGE.format(body="", script=f"<script {attributes}></script>")))

    visitor = Visitor(page)

    expect(visitor.launcher).to_have_accessible_name("A shop")
    visitor.open().ask("When?").hears("Nine.")


@pytest.mark.parametrize(
    ("language", "mark", "title"),
    [("liquid", "shop.name", "Ada&#39;s"), ("html", 'data-locale="auto"', None)],
)
def test_shopify_and_webflow_have_the_tag(
    page: Page, site: Site, server: Server, upstream: Upstream,
    language: str, mark: str, title: str | None,
) -> None:  # fmt: skip
    upstream.script(tokens=["Neun."])
    script = recipe(server, language, mark)
    values = {"{{ shop.name | escape }}": title or "", "{{ request.locale.iso_code }}": "de"}
    for placeholder, value in values.items():
        script = script.replace(placeholder, value)
    assert "{{" not in script
    page.goto(site.add(PAGE.replace('lang="en"', 'lang="de"').format(body="", script=script)))

    visitor = Visitor(page).open().ask("Wann?").hears("Neun.")

    expect(visitor.panel).to_have_accessible_name("Ada's" if title else "Assistent")
    expect(visitor.input).to_have_attribute("placeholder", "Nachricht eingeben …")


# What Tag Manager does with a tag of custom HTML: its scripts are made anew, without their data.
TAG_MANAGER = """(html) => {
    window.dataLayer = [{ event: "gtm.js" }];
    for (const { textContent } of new DOMParser().parseFromString(html, "text/html").scripts) {
        const script = document.createElement("script");
        script.text = textContent;
        document.body.append(script);
    }
}"""


def test_a_tag_manager_injects_it_and_hears_what_happens_but_not_what_is_said(
    page: Page, bare: str, server: Server, upstream: Upstream, troubles: list[str]
) -> None:
    upstream.script(tokens=["Nine."])
    page.goto(bare)
    page.evaluate(TAG_MANAGER, recipe(server, "html", "PerchChatConfig"))

    Visitor(page).open().ask("A secret?").hears("Nine.")

    assert page.evaluate("dataLayer") == [
        {"event": "gtm.js"},
        *(
            {"event": f"perch_{what}", "perch_assistant": "Support"}
            for what in ("opened", "asked", "answered")
        ),
    ]
    assert troubles == []


def test_the_module_mounts_and_asks(
    page: Page, bare: str, server: Server, upstream: Upstream, troubles: list[str]
) -> None:
    upstream.script(tokens=["Nine."])
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(bare)
    page.add_script_tag(content=recipe(server, "js", "widget.ask"), type="module")

    Visitor(page).hears("Nine.")

    page.wait_for_function("() => true")
    assert said == ["user", "assistant"]
    assert troubles == []


@pytest.mark.node
def test_the_types_hold(server: Server, tmp_path: Path) -> None:
    (tmp_path / "perch.d.ts").write_text(server.request("GET", "/widget/perch.d.ts").body.decode())
    (tmp_path / "perch-module.d.ts").write_text(recipe(server, "ts", "declare module"))
    (tmp_path / "use.ts").write_text(pages.USE.replace("{url}", server.url))
    compiler = ROOT / "widget" / "node_modules" / ".bin" / "tsc"

    ran = subprocess.run(
        [compiler, "--noEmit", "--strict", "--module", "esnext", "--moduleResolution", "bundler",
         "--target", "es2022", "--types", "", "use.ts", "perch-module.d.ts"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert ran.stdout + ran.stderr == ""
    assert ran.returncode == 0
