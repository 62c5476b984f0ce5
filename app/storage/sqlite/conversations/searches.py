"""Filters that no index keeps in the list's order."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from app.domain.search_query import SearchQuery
from app.storage.sqlite.rows import from_message_id

Bound = tuple[str, tuple[object, ...]]
Queries = Callable[[sqlite3.Connection], Iterator[Bound]]

# Shorter texts have no trigram to be found by.
_MIN_INDEXED_CHARS = 3
_CONVERSATIONS_SAYING = (
    "SELECT messages.conversation FROM messages_text"
    " CROSS JOIN messages ON messages.key = messages_text.rowid"
    " WHERE messages_text MATCH ? AND messages_text.rowid BETWEEN ? AND ?"
)
_CONVERSATIONS_NAMED = (
    "SELECT key FROM conversations WHERE session_id = ?"
    " UNION ALL SELECT key FROM conversations WHERE id IN (?, ?)"
    " UNION ALL SELECT key FROM conversations WHERE user = ?"
    " UNION ALL SELECT conversation FROM messages WHERE turn_id = ? AND role = 'user'"
    " UNION ALL SELECT conversation FROM messages WHERE request_id = ?"
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


def search_text(query: SearchQuery) -> Search:
    """Search for a message that has all of a query's texts, or for what its id names."""
    condition, values = said(query)
    has_message = f"SELECT 1 FROM messages WHERE conversation = conversations.key AND {condition}"  # noqa: S608
    test = f"EXISTS ({has_message})"
    if query.id is not None:
        test = f"({test} OR id IN (?, ?) OR ? IN (session_id, user))"
        values = (*values, query.id, _conversation_of(query.id), query.id)
    return Search(_indexed(query), (test, values))


def said(query: SearchQuery) -> Bound:
    """Return the test of one message, of the table ``messages`` or what stands for it."""
    tests = [_contains(term) for term in query.terms] or [("FALSE", ())]
    condition = " AND ".join(test for test, _ in tests)
    values = tuple(value for _, each in tests for value in each)
    if query.id is None:
        return f"({condition})", values
    return f"({condition} OR ? IN (messages.turn_id, messages.request_id))", (*values, query.id)


def _contains(term: str) -> Bound:
    if "\0" in term:  # LIKE would look for what stands before it: for nothing, in every text
        return "FALSE", ()
    # LIKE folds the case of ASCII only, the index that of every script.
    others = () if term.isascii() else (term.lower(), term.upper(), term.capitalize())
    spellings = sorted({term, *others})
    test = " OR ".join(["messages.content LIKE ? ESCAPE '\\'"] * len(spellings))
    return f"({test})", tuple(f"%{_escape_like(spelling)}%" for spelling in spellings)


def search_page(prefix: str) -> Search:
    """Search for conversations from pages whose URL begins with ``prefix``."""
    values = (prefix, prefix + _LAST_CHARACTER)
    indexed = ("SELECT key FROM conversations WHERE page_url >= ? AND page_url < ?", values)
    return Search(
        lambda _: iter([indexed]),
        # The plus signs keep the planner in the list's order.
        ("+page_url >= ? AND +page_url < ?", values),
    )


def _indexed(query: SearchQuery) -> Queries | None:
    # A NUL would end the index's query, which is a C string.
    indexed = [term for term in query.terms if len(term) >= _MIN_INDEXED_CHARS and "\0" not in term]
    if not indexed:
        return None
    others = [_contains(term) for term in query.terms if term not in indexed]
    phrases = " AND ".join('"' + term.replace('"', '""') + '"' for term in indexed)
    return partial(_candidates, phrases, others, query.id)


def _candidates(
    phrases: str, others: Sequence[Bound], name: str | None, db: sqlite3.Connection
) -> Iterator[Bound]:
    """Yield queries for what has the name, for the newest messages, for those before them, ..."""
    if name is not None:
        names = (name, name, _conversation_of(name), name, name, name)
        yield _CONVERSATIONS_NAMED, names
    sql = " AND ".join([_CONVERSATIONS_SAYING, *(test for test, _ in others)])
    values = tuple(value for _, each in others for value in each)
    newest: int = db.execute("SELECT coalesce(max(key), 0) FROM messages").fetchone()[0]
    begin, length = newest, FIRST_STRETCH_MESSAGES
    while begin > 0:
        end, begin = begin, max(0, begin - length)
        yield sql, (phrases, begin + 1, end, *values)
        length = newest - begin


def _conversation_of(name: str) -> str | None:
    """Return whose message this would be."""
    found = from_message_id(name)
    return found and found[0]


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
