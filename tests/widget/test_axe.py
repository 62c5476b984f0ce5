"""Gate 3: no axe violation, in any state, theme, direction or size."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.servers.upstream import Upstream
from tests.widget.axe import violations
from tests.widget.conftest import Visit

ANSWER = """### Plans

There are **two** plans, see [the prices](https://example.com/prices) or `plans.json`:

1. *Free*, for one
2. Team
   - with seats

> Prices without tax.

```python
print("a line that is longer than the panel is wide, so that it has to scroll sideways")
```

| Plan | Price |
|:-----|------:|
| Free | 0     |
| Team | 29    |
"""
Screenshot = Callable[[Page, str], None]


@pytest.fixture(autouse=True)
def answer(upstream: Upstream) -> None:
    upstream.script(tokens=[ANSWER])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("light", {"starters": "What does it cost?|Where are you?"}),
        ("dark", {"theme": "dark", "accent_color": "#f59e0b"}),
        ("right-to-left", {"locale": "ar", "position": "left", "accent_color": "#7c3aed"}),
    ],
)
def test_closed_open_and_after_an_answer(
    visit: Visit, screenshot: Screenshot, name: str, options: dict[str, str]
) -> None:
    visitor = visit(greeting="Any questions?", **options)
    assert violations(visitor.page) == []

    visitor.open()
    assert violations(visitor.page) == []
    screenshot(visitor.page, f"{name}-open")

    visitor.ask("What does it cost?")
    expect(visitor.answers.locator("table")).to_be_visible()
    expect(visitor.page.locator("perch-chat .up")).to_be_visible()
    assert violations(visitor.page) == []
    screenshot(visitor.page, name)


def test_on_a_phone(visit: Visit, page: Page, screenshot: Screenshot) -> None:
    page.set_viewport_size({"width": 375, "height": 667})
    visitor = visit(title="Support").open().ask("What does it cost?")

    expect(visitor.button("Good answer")).to_be_visible()
    assert violations(page) == []
    screenshot(page, "mobile")


def test_in_trouble(visit: Visit, upstream: Upstream, screenshot: Screenshot) -> None:
    upstream.script(status=500)
    visitor = visit().open().ask("What does it cost?")

    expect(visitor.retry).to_be_visible()
    visitor.menu.click()
    assert violations(visitor.page) == []
    screenshot(visitor.page, "trouble")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_on_and_in_any_accent_colour_can_be_read(visit: Visit, theme: str) -> None:
    visitor = visit(theme=theme, open="true").ask("Hello?")
    expect(visitor.button("Good answer")).to_be_visible()
    visitor.input.fill("More")

    for accent in (
        "#000",
        "#fff",
        "#777",
        "#00f",
        "#ff0",
        "#e11d48",
        "#0ea5e9",
        "oklch(.57 .2 300)",
    ):
        visitor.host.evaluate("(e, it) => e.style.setProperty('--perch-accent', it)", accent)
        assert violations(visitor.page, ["color-contrast"]) == [], accent
