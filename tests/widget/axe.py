"""Accessibility, as axe-core sees it."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SCRIPT = Path(__file__).parents[2] / "widget/node_modules/axe-core/axe.min.js"
# A panel that is still fading in has other colours. What pulses for ever is not waited for.
STILL = """async () => {
  const shadows = [...document.querySelectorAll('*')].flatMap((host) => host.shadowRoot ?? []);
  const moving = [document, ...shadows].flatMap((root) => root.getAnimations());
  const ending = moving.filter((each) => each.effect.getComputedTiming().endTime < Infinity);
  await Promise.allSettled(ending.map((each) => each.finished));
}"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


@cache
def _script() -> str:
    return SCRIPT.read_text()


def violations(page: Page, rules: list[str] = RULES) -> list[str]:
    """Return what axe finds on the page once it stands still, shadow roots included."""
    page.evaluate(_script())
    page.evaluate(STILL)
    found: dict[str, Any] = page.evaluate(
        "(rules) => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })", rules
    )
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary')}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
