"""Files of each kind, and files that are something else."""

import io
import zipfile

import pytest

from app.knowledge.learner.pages import files
from app.knowledge.learner.pages.files import read_file
from app.knowledge.learner.pages.kinds import kind_of
from app.knowledge.learner.pages.page import Page, Unreadable
from tests.knowledge.learner.documents_made import a_docx, a_pdf


def said(page: Page) -> list[tuple[str, str | None, list[str]]]:
    return [(it.heading, it.anchor, [each.text for each in it.blocks]) for it in page.parts]


@pytest.mark.parametrize(
    ("name", "content_type", "kind"),
    [
        ("/a", "text/html; charset=utf-8", "html"),
        ("/a.pdf", "application/pdf", "pdf"),
        ("/a.pdf", "application/octet-stream", "pdf"),
        ("README.md", "text/plain", "markdown"),
        ("a.txt", "text/plain", "text"),
        ("/a", "text/plain", "text"),
        ("notes.MD", "", "markdown"),
        ("faq.csv", "text/csv", "csv"),
        ("/a.html", "image/png", None),
        ("/a.exe", "application/octet-stream", None),
        ("a", "", None),
    ],
)
def test_kind_is_what_the_header_says_else_the_name(
    name: str, content_type: str, kind: str | None
) -> None:
    assert kind_of(name, content_type) == kind


def test_markdown_has_sections_and_a_title() -> None:
    front = b"---\ntitle: 'Our hours'\n---\n"
    table = b"| Day | Time |\n|-|-|\n| Sun | 10 |\n"
    body = front + b"# Hours\n\nNine.\n\n## Sunday\n\n" + table + b"\n<script>x</script>\n"

    page = read_file(body, "markdown", "hours.md")

    assert said(page) == [("", None, ["Nine."]), ("Sunday", None, ["Day: Sun; Time: 10"])]
    assert page.title == "Hours"


def test_file_without_a_title_is_called_by_its_name() -> None:
    page = read_file(b"One line.\n\nAnother\nparagraph.", "text", "notes.txt")

    assert page.title == "notes.txt"
    assert said(page) == [("", None, ["One line.", "Another\nparagraph."])]


def test_pdf_has_a_section_a_page_that_opens_there() -> None:
    page = read_file(a_pdf(["Nine to five.", "Closed."], title="Hours"), "pdf", "hours.pdf")

    assert page.title == "Hours"
    assert said(page) == [
        ("p. 1", "page=1", ["Nine to five."]),
        ("p. 2", "page=2", ["Closed."]),
    ]


def test_docx_has_sections() -> None:
    page = read_file(
        a_docx([("Heading1", "Hours"), (None, "Nine."), ("Heading2", "Sunday"), (None, "Ten.")]),
        "docx",
        "h.docx",
    )

    assert page.title == "Hours"
    assert said(page) == [("", None, ["Nine."]), ("Sunday", None, ["Ten."])]


def test_table_of_questions_has_a_section_a_question() -> None:
    body = "Frage;Antwort\nWann offen?;Neun bis fünf\nLeer?;\n".encode("cp1252")

    page = read_file(body, "csv", "faq.csv")

    assert said(page) == [("Wann offen?", None, ["Neun bis fünf"])]


def test_other_table_is_its_rows() -> None:
    page = read_file(b"Size,Price\nSmall,4\nLarge,6\n", "csv", "prices.csv")

    assert said(page) == [("", None, ["Size: Small; Price: 4", "Size: Large; Price: 6"])]


@pytest.mark.parametrize(
    ("body", "kind", "why"),
    [
        (b"<html>", "pdf", "said to be a PDF, and is none"),
        (b"%PDF-1.4", "html", "said to be text, and is a PDF or an archive"),
        (b"PK\x03\x04", "text", "said to be text, and is a PDF or an archive"),
        (b"\x89PNG\r\n\x1a\n\0\0", "html", "not text: it holds binary data"),
        (b"no zip", "docx", "said to be a DOCX, and is none"),
        (b"PK\x03\x04 broken", "docx", "the DOCX is damaged (BadZipFile)"),
    ],
)
def test_file_that_is_something_else_is_refused(body: bytes, kind: str, why: str) -> None:
    with pytest.raises(Unreadable) as raised:
        read_file(body, kind, "file")

    assert str(raised.value) == why


def test_archive_without_a_document_is_refused() -> None:
    with pytest.raises(Unreadable, match="another archive"):
        read_file(a_zip({"a.txt": b"x"}), "docx", "a.docx")


def test_bomb_of_zip_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(Unreadable, match="hundred times"):
        read_file(a_zip({"word/document.xml": b" " * 5_000_000}), "docx", "a.docx")


def test_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_MAX_UNZIPPED_BYTES", 10)

    with pytest.raises(Unreadable, match="larger than 100 MB"):
        read_file(a_zip({"word/document.xml": b"0123456789x"}), "docx", "a.docx")


def test_entities_of_xml_in_a_docx_are_not_followed() -> None:
    xml = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>&a;</w:t></w:r></w:p></w:body></w:document>'
    body = a_docx([(None, "x")], document=xml)

    try:
        page = read_file(body, "docx", "a.docx")
    except Unreadable:
        return
    assert "root:" not in str(said(page))


@pytest.mark.parametrize(
    "body",
    [
        b"%PDF-1.4\n",
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 1 0 R>>endobj\ntrailer<</Root 1 0 R>>",
        a_pdf(["x"])[:-200],
        a_pdf(["x"]).replace(b"/Kids", b"/Kidz"),
        b"%PDF-1.7\nxref\n0 99999999\n" + b"0000000000 65535 f \n" * 3 + b"trailer<</Size 9>>",
    ],
)
def test_crafted_pdf_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(Unreadable, match="PDF"):
        read_file(body, "pdf", "a.pdf")


def a_zip(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return file.getvalue()
