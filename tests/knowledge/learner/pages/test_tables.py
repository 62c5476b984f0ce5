"""Rows of tables."""

from app.knowledge.learner.pages.html import read_html


def rows(table: str) -> list[str]:
    return [block.text for part in read_html(table).parts for block in part.blocks]


def test_each_row_says_what_the_header_says_of_its_cells() -> None:
    table = """<table><caption>Prices</caption><thead><tr><th>Size<th>Price</thead>
      <tr><td>Small<td>4 €<tr><td>Large<td>6 €<tr><td>None<td></table>"""

    assert rows(table) == [
        "Prices",
        "Size: Small; Price: 4 €",
        "Size: Large; Price: 6 €",
        "Size: None",
    ]


def test_row_without_header_is_its_cells() -> None:
    assert rows("<table><tr><td>a<td>b<tr><td colspan=2>c</table>") == ["a | b", "c"]


def test_huge_colspan_costs_nothing() -> None:
    assert rows("<table><tr><td colspan=999999999>a<td>b</table>") == ["a | b"]


def test_table_that_lays_out_the_page_is_read_as_a_page() -> None:
    table = "<table><tr><td><h2>News</h2><p>One.</p><td><ul><li>Two</ul></table>"

    assert rows(table) == ["One.", "- Two"]


def test_row_of_links_is_known_as_one() -> None:
    page = read_html("<table><tr><td><a href=/a>Prev</a><td>|<td><a href=/b>Next</a></table>")

    assert page.parts[0].blocks[0].is_links
