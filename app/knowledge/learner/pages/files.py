"""Files become pages: Markdown, plain text, PDF, DOCX, CSV; each is what its bytes say it is.

Runs in the child process of ``reading`` only.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from app.knowledge.learner.pages.html import read_html
from app.knowledge.learner.pages.kinds import MAX_FILE_BYTES
from app.knowledge.learner.pages.page import Page, Unreadable
from app.knowledge.learner.pages.pdf import as_parts, read_pdf
from app.knowledge.learner.pages.text import decode, plain, require_text

_MAX_UNZIPPED_BYTES = 100 * 1024 * 1024
_MAX_ZIP_RATIO = 100
_MAX_ZIP_MEMBERS = 5000
_MAX_CSV_ROWS = 5000
_MAX_TEXT_CHARS = 4_000_000
_MAX_TITLE_CHARS = 300
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.{0,20000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title:\s*[\"']?(.{1,300}?)[\"']?\s*$", re.MULTILINE)
_QUESTIONS = ("question", "questions", "q", "frage", "pregunta", "domanda", "vraag", "问题", "質問")
_ANSWERS = ("answer", "answers", "a", "antwort", "respuesta", "réponse", "risposta", "回答", "答案")


def read_file(body: bytes, kind: str, name: str, charset: str | None = None) -> Page:
    """Read a file of a kind that ``kinds.kind_of`` names.

    Raises:
        Unreadable: it is not what it is said to be, too large, or damaged.
    """
    _require_magic(body, kind)
    page = _READERS[kind](body, name, charset)
    title = page.title or PurePosixPath(name).name
    return replace(page, title=title[:_MAX_TITLE_CHARS])


def _require_magic(body: bytes, kind: str) -> None:
    if len(body) > MAX_FILE_BYTES:
        raise Unreadable("larger than 20 MB")
    is_pdf, is_zip = b"%PDF-" in body[:1024], body.startswith(b"PK\x03\x04")
    if kind == "pdf" and not is_pdf:
        raise Unreadable("said to be a PDF, and is none")
    if kind == "docx" and not is_zip:
        raise Unreadable("said to be a DOCX, and is none")
    if kind not in ("pdf", "docx"):
        if body.startswith(b"%PDF-") or is_zip:
            raise Unreadable("said to be text, and is a PDF or an archive")
        require_text(body)


def _read_page(body: bytes, _name: str, charset: str | None) -> Page:
    return read_html(decode(body, charset))


def _read_markdown(body: bytes, _name: str, charset: str | None) -> Page:
    from markdown_it import MarkdownIt

    text = decode(body, charset).replace("\r\n", "\n")
    front = _FRONT_MATTER.match(text)
    titled = _FRONT_TITLE.search(front[1]) if front else None
    html = MarkdownIt("commonmark").enable("table").render(text[front.end() :] if front else text)
    title = f"<title>{_escape(titled[1])}</title>" if titled else ""
    return read_html(f"<head>{title}</head><body>{html}</body>")


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _read_text(body: bytes, _name: str, charset: str | None) -> Page:
    text = decode(body, charset)[:_MAX_TEXT_CHARS].replace("\r\n", "\n")
    return Page("", as_parts("", None, re.split(r"\n[ \t]*\n", text)))


def _read_docx(body: bytes, _name: str, _charset: str | None) -> Page:
    import mammoth

    try:
        _vet_zip(body)
        found = mammoth.convert_to_html(
            io.BytesIO(body), convert_image=mammoth.images.img_element(lambda _image: {})
        )
    except Unreadable:
        raise
    except Exception as error:  # whatever its parsers raise: of XML, of zip, and its own
        raise Unreadable(f"the DOCX is damaged ({type(error).__name__})") from error
    return read_html(f"<body>{found.value}</body>")


def _vet_zip(body: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        members = archive.infolist()
    sizes = sum(each.file_size for each in members)
    packed = sum(each.compress_size for each in members)
    if len(members) > _MAX_ZIP_MEMBERS or sizes > _MAX_UNZIPPED_BYTES:
        raise Unreadable("the DOCX is larger than 100 MB when it is unpacked")
    if sizes > _MAX_ZIP_RATIO * max(packed, 1):
        raise Unreadable("the DOCX unpacks to more than a hundred times its size")
    if "word/document.xml" not in {each.filename for each in members}:
        raise Unreadable("said to be a DOCX, and is another archive")


def _read_csv(body: bytes, _name: str, charset: str | None) -> Page:
    rows = list(_rows(body, charset))
    columns = _columns_of_questions(rows[0]) if rows else None
    if columns is not None:
        question, answer = columns
        return Page("", [
            part
            for row in rows[1:]
            if len(row) > max(columns)
            for part in as_parts(plain(row[question])[:200], None, [row[answer]])
        ])  # fmt: skip
    header = [plain(each) for each in rows[0]] if rows else []
    lines = []
    for row in rows[1:]:
        named = zip(header, map(plain, row), strict=False)
        lines.append("; ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell))
    return Page("", as_parts("", None, lines))


def _rows(body: bytes, charset: str | None) -> Iterator[list[str]]:
    text = decode(body, charset)
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:4096], delimiters=",;\t")
    except csv.Error:
        dialect = csv.excel
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), dialect)):
            if number > _MAX_CSV_ROWS:
                raise Unreadable(f"the table has more than {_MAX_CSV_ROWS} rows")
            if any(each.strip() for each in row):
                yield row
    except csv.Error as error:
        raise Unreadable(f"the table is damaged: {error}") from error


def _columns_of_questions(header: list[str]) -> tuple[int, int] | None:
    names = [each.strip().casefold() for each in header]
    question = next((i for i, name in enumerate(names) if name in _QUESTIONS), None)
    answer = next((i for i, name in enumerate(names) if name in _ANSWERS), None)
    return None if question is None or answer is None else (question, answer)


_READERS: Mapping[str, Callable[[bytes, str, str | None], Page]] = {
    "html": _read_page,
    "markdown": _read_markdown,
    "text": _read_text,
    "pdf": read_pdf,
    "docx": _read_docx,
    "csv": _read_csv,
}
