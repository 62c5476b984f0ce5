"""Filters that no index keeps in the list's order."""

from dataclasses import dataclass

Bound = tuple[str, tuple[object, ...]]

# Shorter texts have no trigram to be found by.
_MIN_INDEXED_CHARS = 3
_CONVERSATIONS_SAYING = (
    "SELECT messages.conversation FROM messages_text"
    " CROSS JOIN messages ON messages.key = messages_text.rowid"
    " WHERE messages_text MATCH"
)
_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Search:
    """Two ways to one filter: list what matches, or test a conversation.

    ``candidates`` selects keys, and may select one twice; ``None`` where
    there is no index to select them by.
    """

    candidates: Bound | None
    test: Bound


def search_text(text: str) -> Search:
    """Search for a text within any message, whatever its case."""
    # LIKE folds the case of ASCII only, the index that of every script.
    spellings = sorted({text, text.lower(), text.upper(), text.capitalize()})
    matches = " OR ".join(["content LIKE ? ESCAPE '\\'"] * len(spellings))
    said = f"SELECT 1 FROM messages WHERE conversation = conversations.key AND ({matches})"  # noqa: S608
    patterns = tuple(f"%{_escape_like(spelling)}%" for spelling in spellings)
    return Search(_indexed_text(text), (f"EXISTS ({said})", patterns))


def search_page(prefix: str) -> Search:
    """Search for conversations from pages whose URL begins with ``prefix``."""
    values = (prefix, prefix + _LAST_CHARACTER)
    return Search(
        ("SELECT key FROM conversations WHERE page_url >= ? AND page_url < ?", values),
        # The plus signs keep the planner in the list's order.
        ("+page_url >= ? AND +page_url < ?", values),
    )


def _indexed_text(text: str) -> Bound | None:
    # A NUL would end the index's query, which is a C string.
    if len(text) < _MIN_INDEXED_CHARS or "\0" in text:
        return None
    phrase = '"' + text.replace('"', '""') + '"'
    return f"{_CONVERSATIONS_SAYING} ?", (phrase,)


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
