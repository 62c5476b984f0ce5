"""The operator's list: newest-updated first, narrowed, page by page.

Most filters have an index in the list's own order. A text or a page's
prefix has not: where few conversations match they are sorted, where many
do the list is read in order, a bounded stretch for each page. Such a page
may be short, or empty, while its cursor leads on.
"""

import json
import sqlite3

from app.conversation import ConversationFilter, ConversationPage
from app.storage.protocol import EVERYTHING
from app.storage.sqlite.cursors import from_cursor, to_cursor
from app.storage.sqlite.rows import to_conversation
from app.storage.sqlite.searches import Bound, Search, search_page, search_text

# Up to this many matches are sorted; above it they are dense enough to scan for.
MAX_SORTED = 2000
MAX_SCANNED = 3000

_KIND = "c"
_NEWEST_FIRST = "ORDER BY updated_at DESC, key DESC LIMIT ?"


def list_conversations(
    db: sqlite3.Connection, *, limit: int, cursor: str | None, where: ConversationFilter
) -> ConversationPage:
    """Return one page; ``total`` only where nothing is filtered."""
    bounds = _bounds(where)
    if cursor is not None:
        bounds.append(("(updated_at, key) < (?, ?)", tuple(from_cursor(_KIND, cursor, 2))))
    sql, values, floor = _plan(db, bounds, _searches(where))
    found = db.execute(sql, (*values, limit + 1)).fetchall()
    page = found[:limit]
    next_row = page[-1] if len(found) > limit else floor
    return ConversationPage(
        conversations=tuple(to_conversation(row) for row in page),
        total=_total(db) if where == EVERYTHING else None,
        next_cursor=_cursor(next_row),
    )


def _cursor(row: sqlite3.Row | None) -> str | None:
    return None if row is None else to_cursor(_KIND, row["updated_at"], row["key"])


def to_sql(
    bounds: list[Bound], source: str = "conversations", columns: str = "conversations.*"
) -> tuple[str, list[object]]:
    """Build the query and its values, the limit excepted."""
    condition = " AND ".join(condition for condition, _ in bounds) or "TRUE"
    values = [value for _, values in bounds for value in values]
    # The conditions are this package's own; what a caller says is always bound.
    return f"SELECT {columns} FROM {source} WHERE {condition} {_NEWEST_FIRST}", values  # noqa: S608


def _plan(
    db: sqlite3.Connection, bounds: list[Bound], searches: list[Search]
) -> tuple[str, list[object], sqlite3.Row | None]:
    """Choose how to search; the row is where a bounded scan will have ended."""
    few: set[int] | None = None
    tests: list[Bound] = []
    for search in searches:
        keys = _candidates(db, search)
        if keys is None:
            tests.append(search.test)
        else:
            few = keys if few is None else few & keys
    if few is not None:
        # Sorted, for the planner shall not walk the whole list to save a sort.
        candidates = "(SELECT value AS candidate FROM json_each(?))"
        source = f"{candidates} CROSS JOIN conversations ON key = candidate"
        sql, values = to_sql([*bounds, *tests], source)
        return sql, [json.dumps(list(few)), *values], None
    floor = _floor(db, bounds) if tests else None
    if floor is not None:
        tests.append(("(updated_at, key) >= (?, ?)", tuple(floor)))
    return *to_sql([*bounds, *tests]), floor


def _candidates(db: sqlite3.Connection, search: Search) -> set[int] | None:
    """Return the matching keys, or ``None`` where they are too many to sort."""
    if search.candidates is None:
        return None
    sql, values = search.candidates
    keys = {key for (key,) in db.execute(f"{sql} LIMIT ?", (*values, MAX_SORTED + 1))}
    return keys if len(keys) <= MAX_SORTED else None


def _floor(db: sqlite3.Connection, bounds: list[Bound]) -> sqlite3.Row | None:
    sql, values = to_sql(bounds, columns="updated_at, key")
    row: sqlite3.Row | None = db.execute(f"{sql} OFFSET ?", (*values, 1, MAX_SCANNED)).fetchone()
    return row


def _bounds(where: ConversationFilter) -> list[Bound]:
    bounds: list[Bound] = []
    if where.since is not None:
        bounds.append(("updated_at >= ?", (where.since,)))
    if where.until is not None:
        bounds.append(("updated_at < ?", (where.until,)))
    if where.user is not None:
        bounds.append(("user = ?", (where.user,)))
    if where.status is not None:
        bounds.append((f"has_{where.status}", ()))
    if where.feedback is not None:
        bounds.append((f"has_{where.feedback}", ()))
    return bounds


def _searches(where: ConversationFilter) -> list[Search]:
    searches = []
    if where.text:
        searches.append(search_text(where.text))
    if where.page:
        searches.append(search_page(where.page))
    return searches


def _total(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT value FROM counters WHERE name = 'conversations'").fetchone()
    total: int = row["value"]
    return total
