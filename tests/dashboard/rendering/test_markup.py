"""What the model wrote, as far as a page has room for it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from markupsafe import Markup, escape

from app.dashboard.rendering.markup import (
    BEGINNING_CHARS,
    PageBudget,
    to_html,
    to_plain,
)

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.parametrize("show", [to_html, to_plain])
def test_page_of_long_texts_has_the_beginning_of_each(
    show: Callable[[str, PageBudget], Markup],
) -> None:
    budget = PageBudget()
    whole, cut = '"' * 200_000, '"' * BEGINNING_CHARS

    pages = [show(whole, budget) for _ in range(100)]

    assert [escape(whole) in page for page in pages] == [True] * 5 + [False] * 95
    assert all(escape(cut) in page and "an export has all of it" in page for page in pages[5:])
    assert sum(map(len, pages)) < 8_000_000


@pytest.mark.slow
def test_ordinary_answers_fill_a_page() -> None:
    answer = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")[:4000]
    budget = PageBudget()

    pages = [to_html(answer, budget) for _ in range(100)]

    assert all('class="said"' not in page for page in pages)
