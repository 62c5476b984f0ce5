"""Work at a text is counted, and ends at its bound."""

import gevent
import pytest
from markupsafe import escape

from app.dashboard.rendering.markdown_work import MAX_CELLS
from app.dashboard.rendering.markup import (
    MAX_MARKDOWN_CHARS,
    MAX_MESSAGE_STEPS,
    PageBudget,
    to_html,
)


def _filled(text: str) -> str:
    """Repeat a text up to the longest that is laid out."""
    return (text * (MAX_MARKDOWN_CHARS // len(text) + 1))[:MAX_MARKDOWN_CHARS]


def _table(columns: int, rows: int) -> str:
    return "|a" * columns + "\n" + "|-" * columns + "\n" + "|\n" * rows


# What keeps a parser busy for longer than its length says.
INTRICATE = {
    "short rows of a wide table": _table(200, 400),
    "a table as wide as it is long": _table(2000, 2000),
    "brackets": _filled("["),
    "brackets in brackets": "[" * 8000 + "]" * 8000,
    "images": _filled("!["),
    "images in images": "![" * 300 + "a" + "](b)" * 300,
    "images around brackets": _filled("![[]()"),
    "sections": _filled("<![CDATA["),
    "links around links": _filled("[a") + "](b)" * 10,
    "closing brackets": _filled("]"),
    "ampersands": _filled("&"),
    "angles": _filled("<"),
    "one line a letter": _filled("a\n"),
    "definitions": _filled("[a]: b\n"),
    "items": _filled("- a\n"),
    "stars and underscores": _filled("*_"),
    "quotes in quotes": ">" * 200 + "a",
    "lists in lists": "".join("  " * depth + "- a\n" for depth in range(100)),
}


@pytest.mark.parametrize("markdown", INTRICATE.values(), ids=INTRICATE.keys())
def test_intricate_text_is_shown_as_it_was_written(markdown: str) -> None:
    budget = PageBudget()

    html = to_html(markdown, budget)

    assert html.endswith(f'<div class="said">{escape(markdown)}</div>\n')
    assert budget.steps >= PageBudget().steps - MAX_MESSAGE_STEPS - 1


def test_long_text_is_shown_as_it_was_written() -> None:
    assert "<strong>" in to_html("**a** " + "b" * (MAX_MARKDOWN_CHARS - 6))
    assert "<strong>" not in to_html("**a** " + "b" * (MAX_MARKDOWN_CHARS - 5))


def test_table_is_laid_out_up_to_its_most_cells() -> None:
    rows = MAX_CELLS // 10 - 1

    assert to_html(_table(10, rows)).count("<td>") == 10 * rows
    assert to_html(_table(10, rows + 1)).count("<td>") == 0


def test_cells_of_all_tables_of_a_message_count() -> None:
    tables = "\n\n".join([_table(10, 120)] * 2)

    assert to_html(tables).count("<td>") == 0


@pytest.mark.slow
def test_page_of_intricate_texts_takes_no_more_work_than_its_budget() -> None:
    budget = PageBudget()

    pages = [to_html(_filled("["), budget) for _ in range(100)]

    assert len(pages) == 100
    assert -100 <= budget.steps <= 0


def test_text_beyond_the_budget_of_its_page_is_shown_as_it_was_written() -> None:
    budget = PageBudget(steps=100)

    assert to_html("**a**", budget).startswith("<p><strong>")
    assert to_html("**a** " * 20, budget).endswith("**a** </div>\n")
    assert to_html("**a**", budget).endswith('<div class="said">**a**</div>\n')


@pytest.mark.slow
def test_others_get_their_turn_while_a_text_is_laid_out() -> None:
    turns = []

    def other() -> None:
        while True:
            turns.append(None)
            gevent.sleep(0)

    greenlet = gevent.spawn(other)
    try:
        to_html(_filled("["))
    finally:
        greenlet.kill()

    assert len(turns) >= MAX_MESSAGE_STEPS // 1000
