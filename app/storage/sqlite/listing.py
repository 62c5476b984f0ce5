"""The operator's list: newest-updated first, narrowed, page by page."""

import sqlite3

from app.conversation import ConversationFilter, ConversationPage
from app.storage.protocol import EVERYTHING
from app.storage.sqlite.cursors import from_cursor, to_cursor
from app.storage.sqlite.rows import to_conversation

_KIND = "c"
Bound = tuple[str, tuple[object, ...]]


def list_conversations(
    db: sqlite3.Connection, *, limit: int, cursor: str | None, where: ConversationFilter
) -> ConversationPage:
    """Return one page; ``total`` only where nothing is filtered."""
    bounds = _bounds(where)
    if cursor is not None:
        updated_at, key = from_cursor(_KIND, cursor, 2)
        bounds.append(("(updated_at, key) < (?, ?)", (updated_at, key)))
    sql, values = to_sql(bounds)
    found = db.execute(sql, (*values, limit + 1)).fetchall()
    page = found[:limit]
    more = len(found) > limit
    return ConversationPage(
        conversations=tuple(to_conversation(row) for row in page),
        total=_total(db) if where == EVERYTHING else None,
        next_cursor=to_cursor(_KIND, page[-1]["updated_at"], page[-1]["key"]) if more else None,
    )


def to_sql(bounds: list[Bound]) -> tuple[str, list[object]]:
    """Build the query and its values, the limit excepted."""
    condition = " AND ".join(condition for condition, _ in bounds) or "TRUE"
    values = [value for _, values in bounds for value in values]
    order = "ORDER BY updated_at DESC, key DESC LIMIT ?"
    # The conditions are this module's own; values are always bound.
    return f"SELECT * FROM conversations WHERE {condition} {order}", values  # noqa: S608


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
    if where.page is not None:
        bounds.append(("substr(page_url, 1, ?) = ?", (len(where.page), where.page)))
    if where.text is not None:
        bounds.append(
            (
                "key IN (SELECT conversation FROM messages WHERE instr(lower(content), lower(?)))",
                (where.text,),
            )
        )
    return bounds


def _total(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT value FROM counters WHERE name = 'conversations'").fetchone()
    total: int = row["value"]
    return total
