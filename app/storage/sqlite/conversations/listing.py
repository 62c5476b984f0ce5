"""The operator's list: newest-updated first, narrowed, page by page.

A page of a search takes a bounded time. It may be short, or empty, while
its cursor leads on.
"""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace

from app.domain.conversation import MAX_FOUND, ConversationFilter, ConversationPage
from app.domain.search_query import SearchQuery, parse_query
from app.storage.protocol import EVERYTHING
from app.storage.sqlite.conversations.excerpts import find_matches
from app.storage.sqlite.conversations.matches import Place, find_rows
from app.storage.sqlite.conversations.searches import (
    Bound,
    Search,
    search_page,
    search_text,
)
from app.storage.sqlite.cursors import from_cursor, to_cursor
from app.storage.sqlite.rows import to_conversation

_KIND = "c"


def list_conversations(
    db: sqlite3.Connection,
    *,
    limit: int,
    cursor: str | None,
    where: ConversationFilter,
    clock_s: Callable[[], float] = time.monotonic,
) -> ConversationPage:
    """Return one page; ``total`` only where nothing is filtered."""
    query = parse_query(where.text) if where.text else None
    is_counted = cursor is None and where != EVERYTHING
    found, end, total = find_rows(
        db,
        _bounds(where),
        _searches(where, query),
        after=_place(cursor),
        limit=limit + 1,
        count_to=MAX_FOUND + 1 if is_counted else 0,
        clock_s=clock_s,
    )
    page = found[:limit]
    if len(found) > limit:
        end = (page[-1]["updated_at"], page[-1]["key"])
    matches = find_matches(db, page, query, clock_s) if query else {}
    return ConversationPage(
        conversations=tuple(
            replace(to_conversation(row), match=matches.get(row["key"])) for row in page
        ),
        total=_total(db) if where == EVERYTHING else None,
        next_cursor=None if end is None else to_cursor(_KIND, *end),
        found=total,
    )


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    updated_at, key = from_cursor(_KIND, cursor, 2)
    return updated_at, key


def _bounds(where: ConversationFilter) -> list[Bound]:
    bounds: list[Bound] = []
    if where.since is not None:
        bounds.append(("updated_at >= ?", (where.since,)))
    if where.until is not None:
        bounds.append(("updated_at < ?", (where.until,)))
    if where.user is not None:
        bounds.append(("user = ?", (where.user,)))
    if where.assistant is not None:
        # The plus leaves a user's few conversations to the index by user.
        name = "assistant" if where.user is None else "+assistant"
        bounds.append((f"{name} = ?", (where.assistant,)))
    if where.state is not None:
        bounds.append(("+state = ?", (where.state,)))
    if where.status is not None:
        bounds.append((f"has_{where.status}", ()))
    if where.feedback is not None:
        bounds.append((f"has_{where.feedback}", ()))
    return bounds


def _searches(where: ConversationFilter, query: SearchQuery | None) -> list[Search]:
    searches = []
    if query:
        searches.append(search_text(query))
    if where.page:
        searches.append(search_page(where.page))
    return searches


def _total(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT value FROM counters WHERE name = 'conversations'").fetchone()
    total: int = row["value"]
    return total
