"""What repeats on a site's pages."""

from app.knowledge.learner.boilerplate import Boilerplate
from app.knowledge.learner.pages.page import Block, Page, Part

BANNER = Block("We use cookies.")
MENU = Block("Home | Shop", is_links=True)


def a_page(number: int, *blocks: Block, title: str = "") -> Page:
    own = Block(f"Only on page {number}.")
    return Page(title, [Part("", None, [*blocks, own])], head_title=title)


def stripped(pages: list[Page]) -> list[list[str]]:
    boilerplate = Boilerplate()
    for n, page in reversed(list(enumerate(pages))):
        boilerplate.see(page, str(n))
    found = [boilerplate.strip(page, str(n)) for n, page in enumerate(pages)]
    return [[block.text for part in page.parts for block in part.blocks] for page in found]


def test_paragraph_of_many_pages_stays_on_the_first_and_links_on_none() -> None:
    pages = [a_page(n, BANNER, MENU) for n in range(5)]

    assert stripped(pages) == [
        ["We use cookies.", "Only on page 0."],
        *[[f"Only on page {n}."] for n in range(1, 5)],
    ]


def test_nothing_is_boilerplate_of_fewer_than_five_pages() -> None:
    assert stripped([a_page(n, BANNER) for n in range(4)])[3] == [
        "We use cookies.",
        "Only on page 3.",
    ]


def test_what_stands_on_less_than_a_third_stays() -> None:
    pages = [a_page(n, *([BANNER] if n < 3 else [])) for n in range(10)]

    assert stripped(pages)[2] == ["We use cookies.", "Only on page 2."]


def test_site_name_behind_titles_is_left_out() -> None:
    pages = [a_page(n, title=f"Page {n} | Shop") for n in range(6)]
    boilerplate = Boilerplate()
    for n, page in enumerate(pages):
        boilerplate.see(page, str(n))

    assert boilerplate.strip(pages[0], "0").title == "Page 0"
    assert boilerplate.strip(a_page(9, title="A - B"), "9").title == "A - B"
