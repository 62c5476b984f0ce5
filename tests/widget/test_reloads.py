"""A stream that is reloaded at any moment, in the browser: what is seen is what is stored, once."""

import os
import random
from collections import Counter

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.servers.perch import Server
from tests.servers.site import Site
from tests.servers.upstream import Upstream
from tests.widget.visitor import Visitor

# How often; RELOADS=200 for a longer look.
RELOADS = int(os.environ.get("RELOADS", "20"))
RELOAD_TIMEOUT_S = 15
WORDS = [f"word{n} " for n in range(40)]
WHOLE = "".join(WORDS).strip()
GAP_MS = 25
# Some are before the question was sent, and some when all was said.
LATEST_MS = GAP_MS * len(WORDS) + 300
# Each text that an answer had, from the moment that the widget is there.
WATCH = """addEventListener("perch:ready", () => {
    window.seen = [];
    const root = document.querySelector("perch-chat").shadowRoot;
    const note = () => {
        const text = root.querySelector(".list > .answer > .text")?.textContent ?? "";
        if (text != seen.at(-1)) seen.push(text);
        requestAnimationFrame(note);
    };
    note();
})"""


def reload_after(page: Page, address: str, pause_ms: float) -> tuple[Visitor, str]:
    """Ask, reload so much later, and see the answer to its end; tell what stood there at first."""
    page.goto(address)
    visitor = Visitor(page).open().ask("Go on")
    page.wait_for_timeout(pause_ms)
    page.reload()
    expect(visitor.questions).to_have_count(1)
    live = visitor.stop.is_visible()
    # It may go between a look and a click: by then the server said that it has the question.
    unsent = visitor.retry.evaluate_all("(found) => found.map((button) => button.click()).length")
    visitor.hears(WHOLE)
    return (
        visitor,
        "before it was sent" if unsent else "during the answer" if live else "at its end",
    )


@pytest.mark.slow
@pytest.mark.timeout(RELOADS * RELOAD_TIMEOUT_S)
def test_what_is_seen_after_a_reload_at_any_moment_is_what_is_stored_once(
    browser: Browser,
    site: Site,
    server: Server,
    upstream: Upstream,
    capsys: pytest.CaptureFixture[str],
) -> None:
    upstream.script(tokens=WORDS, gap_ms=GAP_MS)
    chance = random.Random(17)
    address = site.page()
    moments: Counter[str] = Counter()

    for _ in range(RELOADS):
        asked = len(upstream.requests)
        with browser.new_context() as context:
            context.add_init_script(WATCH)
            page = context.new_page()
            visitor, moment = reload_after(page, address, chance.uniform(0, LATEST_MS))
            moments[moment] += 1

            expect(visitor.questions).to_have_text(["Go on"])
            expect(visitor.answers).to_have_text([WHOLE])
            assert not [
                text for text in page.evaluate("seen") if not WHOLE.startswith(text.strip())
            ]
        newest = server.admin("/v1/admin/conversations?limit=1").json["conversations"][0]
        assert server.said(newest["_id"]) == [("user", "Go on"), ("assistant", WHOLE)]
        assert len(upstream.requests) == asked + 1

    with capsys.disabled():
        told = ", ".join(f"{count} {moment}" for moment, count in moments.most_common())
        print(f"\nwidget: {RELOADS} reloads of a stream: {told}")
