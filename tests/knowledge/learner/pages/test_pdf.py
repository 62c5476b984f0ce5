"""Text of a PDF, beside what any file is tested for."""

from app.knowledge.learner.pages.pdf import _without_contents, read_pdf
from tests.knowledge.learner.documents_made import a_pdf


def test_lines_of_a_table_of_contents_are_left_out() -> None:
    text = "1 Hours\n1.1 Sunday . . . . . . 3\nWe open at nine... or ten.\n"

    assert _without_contents(text) == "1 Hours\nWe open at nine... or ten.\n"


def test_page_that_is_a_table_of_contents_is_left_out() -> None:
    text = "".join(f"1.{n} Section......{n}\n" for n in range(9))

    assert _without_contents(f"Contents\n1 Hours 3\n{text}") == ""


def test_page_without_spaces_in_its_font_is_still_read() -> None:
    page = read_pdf(a_pdf(["Thispagehasnospacesatallbutmanyletters" * 5]), "a.pdf", None)

    assert page.parts[0].blocks[0].text.startswith("Thispage")
