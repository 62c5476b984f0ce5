"""Sources as a list in Markdown: whatever a page is called, it is a title and nothing more."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.domain.knowledge import Source
from app.protocols.source_list import list_sources

ADDRESS = "https://example.org/h#sunday"


def drawn(*sources: Source) -> list[Token]:
    """The inline tokens of an answer's list as a front end reads them."""
    tokens = MarkdownIt().parse("The answer [1]." + list_sources(sources))
    return [each for token in tokens[3:] for each in token.children or ()]


def test_list_stands_apart_behind_the_answer_and_has_the_answers_numbers() -> None:
    listed = list_sources([Source(2, "Opening hours", ADDRESS), Source(1, "Prices.pdf")])

    assert listed == f"\n\n* \\[2\\] [Opening hours]({ADDRESS})\n* \\[1\\] Prices.pdf"


@pytest.mark.parametrize("sources", [None, [], ()])
def test_nothing_cited_is_nothing_listed(sources: list[Source] | None) -> None:
    assert list_sources(sources) == ""


@settings(max_examples=100)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=20))
@example("<img src=x onerror=alert(1)>")
@example("a](https://evil.test) ![x](y) `code` **bold** &lt; \\")
def test_a_title_is_text(title: str) -> None:
    tokens = drawn(Source(1, title, ADDRESS))

    kinds = [token.type for token in tokens if token.type not in ("text", "text_special")]
    texts = "".join(token.content for token in tokens)
    assert kinds == ["link_open", "link_close"]
    assert texts == f"[1] {' '.join(title.split())}"


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://example.org/a_(b)", "https://example.org/a_%28b%29"),
        ("https://example.org/ü?q=ä b", "https://example.org/%C3%BC?q=%C3%A4%20b"),
        ("https://example.org/>)<script>", "https://example.org/%3E%29%3Cscript%3E"),
        ("https://example.org/%20?a=b&c=d#e", "https://example.org/%20?a=b&c=d#e"),
    ],
)
def test_an_address_ends_where_it_ends(url: str, written: str) -> None:
    [link] = [token for token in drawn(Source(1, "Page", url)) if token.type == "link_open"]

    assert link.attrGet("href") == written
