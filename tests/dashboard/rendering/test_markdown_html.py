"""The model's Markdown as HTML: nothing hostile comes alive."""

import re

import pytest

from app.dashboard.rendering.markup import to_html

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
    "markdown",
    [
        "[list](https://evil.example/?a=b)",
        "![list](https://evil.example/?a=b)",
        "[list](https://shop.example@evil.example/)",
        "[list](https://shop.example.evil.example/)",
        "[list](<https://evil.example\\@shop.example/>)",
        "[list](mailto:a@evil.example)",
        "[list](http://[/)",
        "[list][1]\n\n[1]: https://evil.example/",
    ],
)
def test_foreign_link_of_a_grounded_answer_is_its_words(markdown: str) -> None:
    html = to_html(markdown, hosts={"shop.example"})

    assert "<a" not in html
    assert re.search(r'<p><span title="[^"]+">list</span></p>', html)


def test_own_links_of_a_grounded_answer_stay() -> None:
    html = to_html(
        "**[a](https://shop.example/b)** [x](https://evil.example)", hosts={"shop.example"}
    )

    assert LINK.findall(html) == ["https://shop.example/b"]
    assert html.count("</a>") == html.count("</span>") == 1


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
