"""HTML becomes a page: its sections under their headings, and nothing that a reader would not see.

Runs in the child process of ``reading`` only: the parser is native code.
"""

import re
from collections.abc import Callable

from selectolax.lexbor import LexborHTMLParser, LexborNode

from app.knowledge.learner.pages.head import Head
from app.knowledge.learner.pages.hidden import drop_hidden
from app.knowledge.learner.pages.outline import Outline
from app.knowledge.learner.pages.page import Page
from app.knowledge.learner.pages.tables import data_rows
from app.knowledge.learner.pages.text import alike, plain, plain_code

MAX_DEPTH = 512
_MAX_TITLE_CHARS = 300
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INLINE = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "label",
        "mark",
        "nobr",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
    ]
)
_NUMBERING = re.compile(r"^(?:[\dA-Za-z]{1,3}[.)])+[\dA-Za-z]{0,3}[.)]?\s+")
# Fewer links are a remark, not a table of contents.
_LEAST_CONTENTS = 3


def read_html(text: str, url: str | None = None) -> Page:
    """Read a page; ``url`` is its own, by which its table of contents is known.

    Never raises for what the text says: anything is HTML.
    """
    tree = LexborHTMLParser(text)
    head = Head(tree)
    root = tree.body or tree.root
    if root is None:
        return Page("", ())
    drop_hidden(root)
    main = _main(root)
    _drop_contents(main)
    outline = Outline()
    _Walk(outline).visit(main)
    outline.end()
    title = _title(root, main, head.title)
    return Page(
        title=title[:_MAX_TITLE_CHARS],
        parts=outline.parts(title),
        head_title=head.title[:_MAX_TITLE_CHARS],
        language=head.language,
        canonical=head.canonical,
        base=head.base,
        links=head.links,
        is_noindex=bool({"noindex", "none"} & head.robots),
        is_nofollow=bool({"nofollow", "none"} & head.robots),
    )


def _main(root: LexborNode) -> LexborNode:
    for selector in ("main, [role='main']", "article"):
        found = root.css(selector)
        if len(found) == 1 and len(found[0].text(strip=True)) > 0:
            return found[0]
    return root


def _title(root: LexborNode, main: LexborNode, head_title: str) -> str:
    """Return the main heading that is the page's, and not the site's name beside its logo."""
    first = [plain(each.text()).rstrip("¶").strip() for each in main.css("h1") or root.css("h1")]
    tab = alike(head_title)
    for each in first:
        if each and tab.startswith(alike(each)):
            return each
    if len(first) == 1 and first[0] and not _ends_with_name(tab, alike(first[0])):
        return first[0]
    return head_title or next(filter(None, first), "")


def _ends_with_name(tab: str, name: str) -> bool:
    return tab.endswith(name) and tab[: -len(name)].rstrip()[-1:] in (*"|·•–—-:›»",)


def _drop_contents(main: LexborNode) -> None:
    """Drop lists of links that say the page's own headings again.

    Such a list has all words of the page, and answers no question.
    """
    headings = {_bare(node.text()) for node in main.css("h1, h2, h3, h4, h5, h6, summary, dt")} - {
        ""
    }
    for each in main.css("ul, ol, dl, nav, .toc"):
        links = each.css("a")
        if len(links) < _LEAST_CONTENTS or each.parent is None:
            continue
        own = sum(_is_own(link, headings) for link in links)
        linked = sum(len(plain(link.text())) for link in links)
        if own * 10 >= len(links) * 8 and linked * 10 >= len(plain(each.text())) * 6:
            each.decompose()


def _is_own(link: LexborNode, headings: set[str]) -> bool:
    href = link.attributes.get("href") or ""
    return "#" in href and _bare(link.text()) in headings


def _bare(text: str) -> str:
    """Return a heading as its table of contents may have it: with or without its number."""
    return _NUMBERING.sub("", alike(text).rstrip("¶# ")).strip()


class _Walk:
    """Goes through a page from top to bottom, and tells its outline what it sees."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline

    def visit(self, root: LexborNode) -> None:
        """See all below a node, without a call a level: a page may be nested a thousand deep."""
        waiting: list[tuple[LexborNode, int] | Callable[[], None]] = []
        if root.child is not None:
            waiting.append((root.child, 0))
        while waiting:
            each = waiting.pop()
            if not isinstance(each, tuple):
                each()
                continue
            node, depth = each
            if node.next is not None:
                waiting.append((node.next, depth))
            leave = self._enter(node)
            if leave is not None:
                waiting.append(leave)
                if node.child is not None and depth < MAX_DEPTH:
                    waiting.append((node.child, depth + 1))

    def _enter(self, node: LexborNode) -> Callable[[], None] | None:
        """See a node; return what ends it, or ``None`` where nothing in it is to be seen."""
        tag = node.tag or ""
        outline = self._outline
        if tag == "-text":
            outline.add(node.text_content or "")
        elif tag in _INLINE:
            return self._enter_inline(node, tag)
        elif tag in _HEADINGS:
            outline.head(_HEADINGS[tag], plain(node.text()).rstrip("¶").strip(), _anchor(node))
        elif tag == "pre":
            outline.code(plain_code(node.text()))
        elif tag == "br":
            outline.add("\n", is_break=True)
        elif tag == "table" and (rows := data_rows(node)) is not None:
            outline.end_block()
            for row in rows:
                outline.row(*row)
        elif tag[:1] not in ("-", "_", "!"):
            return self._enter_block(node, tag)
        return None

    def _enter_inline(self, node: LexborNode, tag: str) -> Callable[[], None]:
        anchor = node.id or (node.attributes.get("name") if tag == "a" else None)
        if anchor:
            self._outline.mark(anchor)
        if tag == "a" and "href" in node.attributes:
            self._outline.begin_link()
            return self._outline.end_link
        return _nothing

    def _enter_block(self, node: LexborNode, tag: str) -> Callable[[], None]:
        self._outline.end_block()
        if node.id:
            self._outline.mark(node.id)
        if tag == "li":
            self._outline.begin_item()
        return self._outline.end_block


def _nothing() -> None:
    pass


def _anchor(node: LexborNode) -> str | None:
    if node.id:
        return node.id
    inner = node.css_first("a[id], a[name], span[id]")
    if inner is None:
        return None
    return inner.id or inner.attributes.get("name") or None
