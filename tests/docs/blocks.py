"""The code blocks of a document, and what is said about each of them."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
# Commands and programs: run, or said why not.
PROGRAMS = ("sh", "js", "python")
# What is only shown.
SHOWN = (
    "text", "json", "html", "dotenv", "yaml", "toml", "css",
    "jsx", "ts", "vue", "svelte", "php", "liquid",
)  # fmt: skip

_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->")
_RUN_BY = re.compile(r"<!-- run by (\S+) -->")


@dataclass(frozen=True)
class Block:
    """A code block; ``language`` is empty where it is not fenced."""

    document: str
    line: int
    language: str
    text: str
    remark: str

    @property
    def where(self) -> str:
        return f"{self.document}:{self.line}"

    @property
    def reason_not_to_run(self) -> str | None:
        found = _NOT_RUN.fullmatch(self.remark)
        return found[1] if found else None

    @property
    def run_by(self) -> str | None:
        found = _RUN_BY.fullmatch(self.remark)
        return found[1] if found else None


def documents() -> list[str]:
    """Return every document for users and contributors."""
    pages = sorted((ROOT / "docs").rglob("*.md"))
    return ["README.md", "CONTRIBUTING.md", *(str(page.relative_to(ROOT)) for page in pages)]


@cache
def blocks_of(document: str) -> tuple[Block, ...]:
    """Return a document's code blocks, each with the comment right before it."""
    tokens = MarkdownIt().parse((ROOT / document).read_text(encoding="utf-8"))
    blocks = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type in ("fence", "code_block"):
            remark = before.content.strip() if before and before.type == "html_block" else ""
            line = token.map[0] + 1 if token.map else 0
            blocks.append(Block(document, line, token.info.strip(), token.content, remark))
    return tuple(blocks)
