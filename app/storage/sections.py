"""A document's sections as stores keep them: one text of JSON."""

import json
from collections.abc import Sequence

from app.domain.knowledge import Section


def from_sections(sections: Sequence[Section]) -> str:
    """Write sections, each a list of its heading, its text, and its anchor if it has one."""
    rows = [section if section.anchor is not None else section[:2] for section in sections]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def to_sections(text: str) -> tuple[Section, ...]:
    """Read what ``from_sections`` wrote."""
    return tuple(Section(*row) for row in json.loads(text))
