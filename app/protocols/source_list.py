"""What an answer cites as a list in Markdown, for front ends that have no form of their own."""

import re
from collections.abc import Sequence

from app.domain.knowledge import Source

# What begins anything inside of a line; a backslash before it makes it plain.
_MARK = re.compile(r"([\\`*_~\[\]<>&!])")
# What would end an address between parentheses, or not be read as one.
_NO_ADDRESS = re.compile(r"[^!#-';*-;=?-\[\]_a-z~]")


def list_sources(sources: Sequence[Source] | None) -> str:
    """Return what stands behind an answer: each source with its number; without any, nothing."""
    items = "\n".join(f"* \\[{each.n}\\] {_link(each)}" for each in sources or ())
    return f"\n\n{items}" if items else ""


def _link(source: Source) -> str:
    title = _MARK.sub(r"\\\1", " ".join(source.title.split()))
    if not source.url:
        return title
    address = _NO_ADDRESS.sub(lambda found: _percent(found.group()), source.url)
    return f"[{title}]({address})"


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "replace"))
