"""A PDF becomes a page: a section for each of its pages, which a link may open."""

import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from app.knowledge.learner.pages.page import (
    Block,
    Page,
    Part,
    Unreadable,
)
from app.knowledge.learner.pages.text import plain, plain_lines

_MAX_PAGES = 2000
_MAX_CHARS = 4_000_000
_HYPHENATED = re.compile(r"(?<=[^\W\d_])-\n(?=[^\W\d_])")
# A line of a table of contents: dots that lead to a number.
_CONTENTS = re.compile(r"^.*(?:\.[ \t]*){4,}\d*[ \t]*$\n?", re.MULTILINE)
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_SPACE = re.compile(r"\s")
_LEAST_CONTENTS = 5
_LEAST_LETTERS = 100
_LETTERS_A_SPACE = 9
# In thousandths of an em: what a font's space takes that does not say it.
_SPACE_WIDTH = 250
_SPACE_OF_NO_GLYPH = b"1 beginbfchar\n<FFFE> <0020>\nendbfchar\n"


def read_pdf(body: bytes, _name: str, _charset: str | None) -> Page:
    """Read a PDF.

    Raises:
        Unreadable: it is damaged, closed, or holds no text.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(body))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("the PDF asks for a password")
        parts = list(_parts(reader))
        metadata = reader.metadata
        title = plain(str(metadata.title)) if metadata and metadata.title else ""
    except Unreadable:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, IndexError, AttributeError,
            RecursionError, OSError, ArithmeticError, NotImplementedError) as error:  # fmt: skip
        raise Unreadable(f"the PDF is damaged ({type(error).__name__})") from error
    if not parts:
        raise Unreadable("the PDF holds no text: pages that were scanned are pictures")
    return Page("" if title.lower().startswith(("untitled", "microsoft word")) else title, parts)


def as_parts(heading: str, anchor: str | None, texts: Sequence[str]) -> list[Part]:
    """Return texts as the blocks of one part; nothing where they are empty."""
    blocks = [Block(found) for each in texts if (found := plain_lines(each))]
    return [Part(heading, anchor, blocks)] if blocks else []


def _parts(reader: Any) -> Iterator[Part]:
    chars = 0
    for number, each in enumerate(reader.pages, 1):
        text = _without_contents(_HYPHENATED.sub("", _text(each)))
        chars += len(text)
        if number > _MAX_PAGES or chars > _MAX_CHARS:
            return
        # `#page=3` opens there (RFC 8118).
        yield from as_parts(f"p. {number}", f"page={number}", re.split(r"\n[ \t]*\n", text))


def _without_contents(text: str) -> str:
    found, times = _CONTENTS.subn("", text)
    # What is left of a page of them are the headings of its chapters.
    return "" if times >= _LEAST_CONTENTS and times * 2 > text.count("\n") else found


def _text(page: Any) -> str:
    text: str = page.extract_text() or ""
    letters = len(_LATIN.findall(text))
    if letters > _LEAST_LETTERS and len(_SPACE.findall(text)) * _LETTERS_A_SPACE < letters:
        _name_spaces(page)
        text = page.extract_text(space_width=_SPACE_WIDTH) or ""
    return text


def _name_spaces(page: Any) -> None:
    """Let fonts have a space where TeX left only gaps.

    pypdf measures gaps by the glyph of code 32, which in such a font is another letter; of
    a space that has no glyph it takes the width that it is given.
    """
    for font in page["/Resources"].get_object().get("/Font", {}).values():
        named = font.get_object().get("/ToUnicode")
        if named is not None:
            stream = named.get_object()
            stream.set_data(stream.get_data().replace(b"endcmap", _SPACE_OF_NO_GLYPH + b"endcmap"))
