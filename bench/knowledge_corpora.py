"""Corpora of the knowledge bench: manuals that Debian packages put under /usr/share/doc."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from app.domain.knowledge import Document, Section

DOC = Path("/usr/share/doc")
FAQ = DOC / "debian" / "FAQ"
FAQ_LANGUAGES = ("en", "de", "fr", "ru", "ja", "zh-cn")
_MANUALS = (
    (DOC / "python-django-doc" / "html", "**/*.html"),
    (DOC / "postgresql-doc-15" / "html", "*.html"),
    (DOC / "apache2-doc" / "manual", "**/*.html"),
)
_DROPPED = (
    "script, style, nav, header, footer, form, .toc, .navheader, .navfooter, .sphinxsidebar, "
    ".related, #preamble, .section .footer, .top, .bottomlang, .toplang, #quickview, .index"
)
_BLOCKS = frozenset(
    ("p", "pre", "dt", "dd", "li", "blockquote", "td", "th", "table", "tr", "div", "section", "ul",
     "ol", "dl")
)  # fmt: skip
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_NUMBER = re.compile(r"^\s*(?:Chapter|Kapitel|Chapitre|Глава|第)?\s*\d+(?:\.\d+)*\.?\s*章?\s*")


def faq(language: str) -> list[Document]:
    """Return the chapters of Debian's FAQ, whose headings are mostly questions."""
    folder = FAQ if language == "en" else FAQ / language
    paths = sorted(folder.glob(f"*.{language}.html"))
    return [
        read_page(path, language, f"https://faq.test/{path.name}")
        for path in paths
        if not path.name.startswith("index.")
    ]


def manuals() -> list[Document]:
    """Return the pages of three large manuals, nearly all of them in English."""
    return [
        read_page(path, _language(path), f"https://manuals.test/{path.relative_to(DOC)}")
        for folder, pattern in _MANUALS
        for path in sorted(folder.glob(pattern))
        if "_modules" not in path.parts and "genindex" not in path.name
    ]


def _language(path: Path) -> str:
    below = path.relative_to(DOC).parts
    return below[2] if below[0] == "apache2-doc" else "en"


def read_page(path: Path, language: str, url: str) -> Document:
    """Read a page by rules that fit these manuals; the learner's own are for any site."""
    tree = LexborHTMLParser(path.read_bytes().decode("utf-8", "replace"))
    for node in tree.css(_DROPPED):
        node.decompose()
    title = tree.css_first("h1.title") or tree.css_first(".section > h1") or tree.css_first("title")
    sections = list(_sections(tree.body)) if tree.body else []
    name = _NUMBER.sub("", _line(title.text())) if title else path.stem
    return Document(
        assistant="bench", key=url, kind="page", title=name, sections=sections, url=url,
        language=language,
    )  # fmt: skip


def _sections(body: LexborNode) -> Iterator[Section]:
    path: list[str] = []
    anchor, text = None, ""
    for kind, said in _walk(body):
        if kind == "text":
            text += said
            continue
        if text.strip():
            yield Section(" › ".join(path[1:]), _tidy(text), anchor)
        level, (heading, anchor) = int(kind[1]), said
        path = [*path[: level - 1], *[""] * (level - 1 - len(path)), heading]
        text = ""
    if text.strip():
        yield Section(" › ".join(filter(None, path[1:])), _tidy(text), anchor)


def _walk(node: LexborNode) -> Iterator[tuple[str, Any]]:
    for child in node.iter(include_text=True):
        tag = child.tag
        if tag in _HEADINGS:
            inner = child.css_first("a[id]")
            around = child.parent.id if child.parent else None
            anchor = child.id or (inner.id if inner else None) or around or None
            yield tag, (_NUMBER.sub("", _line(child.text())), anchor)
        elif tag == "-text":
            yield "text", re.sub(r"\s+", " ", child.text_content or "")
        elif tag == "pre":
            yield "text", f"\n\n{child.text().strip()}\n\n"
        elif tag == "br":
            yield "text", "\n"
        else:
            if tag in _BLOCKS:
                yield "text", "\n\n" if tag not in ("td", "th") else " | "
            yield from _walk(child)
            if tag in _BLOCKS and tag not in ("td", "th"):
                yield "text", "\n\n"


def _line(text: str) -> str:
    return " ".join(text.replace("¶", "").split())


def _tidy(text: str) -> str:
    return re.sub(r"\s*\n\s*\n\s*", "\n\n", text).strip()
