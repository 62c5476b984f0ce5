"""A table becomes its rows, each with what the header says of its cells."""

from selectolax.lexbor import LexborNode

from app.knowledge.learner.pages.text import plain, said_chars

_BLOCKS = "table, ul, ol, dl, h1, h2, h3, h4, h5, h6, form, section, article, pre"
MAX_ROWS = 5000


def data_rows(table: LexborNode) -> list[tuple[str, bool]] | None:
    """Return rows as text, each with whether it is nothing but links.

    ``None`` where the table holds other things than data, to put them side by side.
    """
    if table.css_first(_BLOCKS) not in (None, table) or _nested(table):
        return None
    header: list[str] = []
    found: list[tuple[str, bool]] = []
    for row in table.css("tr")[:MAX_ROWS]:
        nodes = [each for each in row.iter() if each.tag in ("td", "th")]
        cells = [plain(each.text()) for each in nodes]
        if not header and not found and nodes and _is_header(row, nodes):
            header = cells
        elif any(cells):
            found.append((_line(header, cells), _is_links(row, cells)))
    caption = table.css_first("caption")
    words = plain(caption.text()) if caption else ""
    if header and not found:
        found.append((" | ".join(each for each in header if each), False))
    return [(words, False), *found] if words else found


def _nested(table: LexborNode) -> bool:
    return any(each != table for each in table.css(_BLOCKS))


def _is_header(row: LexborNode, nodes: list[LexborNode]) -> bool:
    in_head = row.parent is not None and row.parent.tag == "thead"
    return in_head or (len(nodes) > 1 and all(each.tag == "th" for each in nodes))


def _line(header: list[str], cells: list[str]) -> str:
    if len(header) != len(cells):
        return " | ".join(each for each in cells if each)
    named = zip(header, cells, strict=True)
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell)


def _is_links(row: LexborNode, cells: list[str]) -> bool:
    linked = sum(said_chars(each.text()) for each in row.css("a[href]"))
    return linked * 10 >= sum(map(said_chars, cells)) * 9 > 0
