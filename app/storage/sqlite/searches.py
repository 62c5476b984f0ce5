"""Filters that no index keeps in the list's order."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

Bound = tuple[str, tuple[object, ...]]
Queries = Callable[[sqlite3.Connection], Iterator[Bound]]

# Shorter texts have no trigram to be found by.
_MIN_INDEXED_CHARS = 3
_CONVERSATIONS_SAYING = (
    "SELECT messages.conversation FROM messages_text"
    " CROSS JOIN messages ON messages.key = messages_text.rowid"
    " WHERE messages_text MATCH ? AND messages_text.rowid BETWEEN ? AND ?"
)
# Of the index, at first; each stretch is as long as all before it.
FIRST_STRETCH_MESSAGES = 16_384
_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Search:
    """Two ways to one filter: list what matches, or test a conversation.

    ``candidates`` are queries for keys, of which some may come twice; each
    takes about as long as all before it. ``None`` where there is no index.
    """

    candidates: Queries | None
    test: Bound


def search_text(text: str) -> Search:
    """Search for a text within any message, whatever its case."""
    # LIKE folds the case of ASCII only, the index that of every script.
    others = () if text.isascii() else (text.lower(), text.upper(), text.capitalize())
    spellings = sorted({text, *others})
    matches = " OR ".join(["content LIKE ? ESCAPE '\\'"] * len(spellings))
    said = f"SELECT 1 FROM messages WHERE conversation = conversations.key AND ({matches})"  # noqa: S608
    patterns = tuple(f"%{_escape_like(spelling)}%" for spelling in spellings)
    return Search(_indexed_text(text), (f"EXISTS ({said})", patterns))


def search_page(prefix: str) -> Search:
    """Search for conversations from pages whose URL begins with ``prefix``."""
    values = (prefix, prefix + _LAST_CHARACTER)
    indexed = ("SELECT key FROM conversations WHERE page_url >= ? AND page_url < ?", values)
    return Search(
        lambda _: iter([indexed]),
        # The plus signs keep the planner in the list's order.
        ("+page_url >= ? AND +page_url < ?", values),
    )


def _indexed_text(text: str) -> Queries | None:
    # A NUL would end the index's query, which is a C string.
    if len(text) < _MIN_INDEXED_CHARS or "\0" in text:
        return None
    phrase = '"' + text.replace('"', '""') + '"'
    return partial(_stretches, phrase)


def _stretches(phrase: str, db: sqlite3.Connection) -> Iterator[Bound]:
    """Yield queries for the newest messages, for those before them, and so on."""
    newest: int = db.execute("SELECT coalesce(max(key), 0) FROM messages").fetchone()[0]
    begin, length = newest, FIRST_STRETCH_MESSAGES
    while begin > 0:
        end, begin = begin, max(0, begin - length)
        yield _CONVERSATIONS_SAYING, (phrase, begin + 1, end)
        length = newest - begin


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
