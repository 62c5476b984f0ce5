"""What the model wrote, as HTML."""

import re
from collections.abc import Callable
from pathlib import Path

import gevent
import pytest
from markupsafe import Markup, escape

from app.dashboard.highlights import MAX_MARKED_CHARS, MAX_MARKS, highlight
from app.dashboard.markdown_work import MAX_CELLS
from app.dashboard.markup import (
    BEGINNING_CHARS,
    MAX_MARKDOWN_CHARS,
    MAX_MESSAGE_STEPS,
    PageBudget,
    to_html,
    to_plain,
)

ROOT = Path(__file__).parents[2]
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](vbscript:msgbox)",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml,<svg onload=alert(1)>)",
    '![" onerror="alert(1)](https://a.example/x.png)',
    '[x](https://a.example/" onclick="alert(1))',
    '[x](https://a.example/ "\\" onclick=\\"alert(1)")',
    "| <script> |\n|:-:|\n| <b onclick=x> |",
    "```<script>\nalert(1)\n```",
    '```js" onclick="alert(1)\nx\n```',
    "`<script>alert(1)</script>`",
    "# <script>alert(1)</script>",
    "> <iframe src=https://evil.example>",
    "[a]: javascript:alert(1)\n\n[a]",
    "&lt;script&gt;",
]
TAG = re.compile(r"<\s*(script|img|svg|iframe|b|style|object)[\s/>]", re.IGNORECASE)
EVENT = re.compile(r"<[^>]*\son\w+\s*=(?=[^>]*>)", re.IGNORECASE)
LINK = re.compile(r'(?:href|src)="([^"]*)"')


@pytest.mark.parametrize("markdown", HOSTILE)
def test_nothing_hostile_comes_alive(markdown: str) -> None:
    html = str(to_html(markdown))

    without_values = re.sub(r'"[^"]*"', '""', html)
    assert not TAG.search(html)
    assert not EVENT.search(without_values)
    assert all(link.startswith(("https://", "http://", "mailto:")) for link in LINK.findall(html))
    assert "style=" not in without_values


def test_image_is_a_link_and_loads_nothing() -> None:
    html = to_html("![A map](https://a.example/map.png)")

    assert html == (
        '<p><a href="https://a.example/map.png" rel="noopener noreferrer nofollow"'
        ' target="_blank">A map</a></p>\n'
    )


def test_link_tells_its_target_nothing() -> None:
    html = to_html("[the list](https://a.example/?a=b&c=d)")

    assert html == (
        '<p><a href="https://a.example/?a=b&amp;c=d" rel="noopener noreferrer nofollow"'
        ' target="_blank">the list</a></p>\n'
    )


@pytest.mark.parametrize(
    ("markdown", "href", "text"),
    [
        ("[a](https://例え.jp/ü)", "https://%E4%BE%8B%E3%81%88.jp/%C3%BC", "a"),
        ("![a](https://例え.jp)", "https://%E4%BE%8B%E3%81%88.jp", "a"),
        (
            "<https://例え.jp/%C3%BC>",
            "https://%E4%BE%8B%E3%81%88.jp/%C3%BC",
            "https://例え.jp/%C3%BC",
        ),
        ("<https://xn--r8jz45g.jp/>", "https://xn--r8jz45g.jp/", "https://xn--r8jz45g.jp/"),
        ("[a](<https://[::1]/b c>)", "https://[::1]/b%20c", "a"),
    ],
)
def test_host_of_a_link_is_left_to_the_browser(markdown: str, href: str, text: str) -> None:
    """Its Punycode is work that no step counts: of one long host, and nested, half a second."""
    html = to_html(markdown)

    assert LINK.findall(html) == [href]
    assert f">{text}</a>" in html


def test_heading_is_no_heading_of_the_page() -> None:
    assert to_html("# Hours") == '<p class="heading h1">Hours</p>\n'


def test_table_keeps_its_sides_without_a_style() -> None:
    html = to_html("| Day | Price |\n|:--|--:|\n| 1 | 2 |")

    assert '<th class="left">Day</th>' in html
    assert '<td class="right">2</td>' in html


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


def test_ordinary_answers_fill_a_page() -> None:
    answer = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")[:4000]
    budget = PageBudget()

    pages = [to_html(answer, budget) for _ in range(100)]

    assert all('class="said"' not in page for page in pages)


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


def test_words_are_marked_in_the_beginning_of_a_long_text_only() -> None:
    marked = highlight("a " * MAX_MARKED_CHARS, ["b", "a"])
    late = highlight(" " * MAX_MARKED_CHARS + "a", ["a"])

    assert marked.count("<mark>") == MAX_MARKS
    assert late.strip() == "a"
