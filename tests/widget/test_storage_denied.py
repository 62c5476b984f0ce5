"""Gate 5: where the browser denies storage and cookies, the widget chats."""

import json
from pathlib import Path

from playwright.sync_api import Playwright, expect

from tests.servers.perch import Server
from tests.servers.site import Site
from tests.servers.upstream import Upstream
from tests.widget.browser import FLAGS, chromium
from tests.widget.visitor import Visitor

DENY = {"profile": {"default_content_setting_values": {"cookies": 2}}}


def test_with_storage_and_cookies_denied_it_chats(
    playwright: Playwright, tmp_path: Path, site: Site, upstream: Upstream, server: Server
) -> None:
    upstream.script(tokens=["Still", " here."])
    preferences = tmp_path / "Default" / "Preferences"
    preferences.parent.mkdir()
    preferences.write_text(json.dumps(DENY))
    context = playwright.chromium.launch_persistent_context(
        tmp_path, executable_path=chromium(), args=FLAGS
    )
    page = context.pages[0]
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(site.page())
    denied = page.evaluate("() => { try { return !localStorage } catch (e) { return e.name } }")

    visitor = Visitor(page).open().ask("One?").hears("Still here.")
    visitor.ask("Two?")
    expect(visitor.answers).to_have_text(["Still here.", "Still here."])
    context.close()

    stored = server.admin("/v1/admin/conversations?limit=1").json["conversations"][0]
    assert denied == "SecurityError"
    assert [content for _, content in server.said(stored["_id"])] == [
        "One?",
        "Still here.",
        "Two?",
        "Still here.",
    ]
    assert errors == []
