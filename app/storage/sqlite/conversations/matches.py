"""The rows of a page, newest-updated first, within a budget of time.

Most filters have an index in the list's own order. A text or a page's
prefix has not: where few conversations match, and the index tells them
quickly, they are sorted; otherwise the list is read in its order, and
tested, until the page is full or the time is up.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple

from app.storage.sqlite.conversations.searches import Bound, Search

# Up to this many matches are sorted; above it they are dense enough to scan for.
MAX_SORTED = 2000
# No more is begun after this time; what then runs takes about as long again.
GATHER_S = 0.015
SCAN_S = 0.015
SCANNED_AT_ONCE = 100

Place = tuple[int, int]
"""A conversation's place in the list: when it was updated, and its key."""


class Found(NamedTuple):
    """Rows, the place where a scan gave up before their end, and how many fit."""

    rows: list[sqlite3.Row]
    end: Place | None
    total: int | None


_NEWEST_FIRST = "ORDER BY updated_at DESC, key DESC LIMIT ?"
_Clock = Callable[[], float]


def find_rows(
    db: sqlite3.Connection,
    bounds: Sequence[Bound],
    searches: Sequence[Search],
    *,
    after: Place | None,
    limit: int,
    count_to: int,
    clock_s: _Clock,
) -> Found:
    """Return the next rows, ``limit`` at most; count what fits, ``count_to`` at most."""
    gathered = [(search, _gather(db, search, clock_s)) for search in searches]
    few = [keys for _, keys in gathered if keys is not None]
    tests = [search.test for search, keys in gathered if keys is None]
    if few:
        keys = set.intersection(*few)
        rows = _sort(db, [*bounds, *_from(after), *tests], keys, limit)
        return Found(rows, None, _count(db, [*bounds, *tests], keys, rows, limit, count_to))
    if tests:
        rows, end = _scan(db, bounds, tests, after, limit, clock_s)
        is_all = end is None and len(rows) < limit
        return Found(rows, end, len(rows) if count_to and is_all else None)
    sql, values = _to_sql([*bounds, *_from(after)])
    rows = db.execute(sql, (*values, limit)).fetchall()
    return Found(rows, None, _count(db, bounds, None, rows, limit, count_to))


def _count(
    db: sqlite3.Connection,
    bounds: Sequence[Bound],
    keys: set[int] | None,
    rows: Sequence[sqlite3.Row],
    limit: int,
    count_to: int,
) -> int | None:
    """Count what fits, where the first page does not hold all of it."""
    if not count_to or len(rows) < limit:
        return len(rows) if count_to else None
    source, values = _source(keys)
    sql, more = _to_sql(bounds, source, "1")
    row = db.execute(f"SELECT count(*) FROM ({sql})", (*values, *more, count_to)).fetchone()  # noqa: S608
    count: int = row[0]
    return count


def _gather(db: sqlite3.Connection, search: Search, clock_s: _Clock) -> set[int] | None:
    """Return the matching keys, or ``None`` where they are too many or take too long."""
    if search.candidates is None:
        return None
    keys: set[int] = set()
    begun_at = clock_s()
    for sql, values in search.candidates(db):
        if clock_s() - begun_at > GATHER_S:
            return None
        for (key,) in db.execute(sql, values):
            keys.add(key)
            if len(keys) > MAX_SORTED or clock_s() - begun_at > 2 * GATHER_S:
                return None
    return keys


def _sort(
    db: sqlite3.Connection, bounds: Sequence[Bound], keys: set[int], limit: int
) -> list[sqlite3.Row]:
    source, values = _source(keys)
    sql, more = _to_sql(bounds, source)
    return db.execute(sql, (*values, *more, limit)).fetchall()


def _source(keys: set[int] | None) -> tuple[str, tuple[str, ...]]:
    if keys is None:
        return "conversations", ()
    # Sorted, for the planner shall not walk the whole list to save a sort.
    candidates = "(SELECT value AS candidate FROM json_each(?))"
    return f"{candidates} CROSS JOIN conversations ON key = candidate", (json.dumps(list(keys)),)


def _scan(
    db: sqlite3.Connection,
    bounds: Sequence[Bound],
    tests: Sequence[Bound],
    after: Place | None,
    limit: int,
    clock_s: _Clock,
) -> tuple[list[sqlite3.Row], Place | None]:
    """Test the list's conversations, a stretch after the other."""
    found: list[sqlite3.Row] = []
    begun_at = clock_s()
    while True:
        stretch = [*bounds, *_from(after)]
        after = _end_of_stretch(db, stretch)
        sql, values = _to_sql([*stretch, *_to(after), *tests])
        found += db.execute(sql, (*values, limit - len(found)))
        if after is None or len(found) == limit or clock_s() - begun_at > SCAN_S:
            return found, after


def _end_of_stretch(db: sqlite3.Connection, bounds: Sequence[Bound]) -> Place | None:
    sql, values = _to_sql(bounds, columns="updated_at, key")
    row = db.execute(f"{sql} OFFSET ?", (*values, 1, SCANNED_AT_ONCE - 1)).fetchone()
    return None if row is None else (row["updated_at"], row["key"])


def _from(place: Place | None) -> list[Bound]:
    return [] if place is None else [("(updated_at, key) < (?, ?)", place)]


def _to(place: Place | None) -> list[Bound]:
    return [] if place is None else [("(updated_at, key) >= (?, ?)", place)]


def _to_sql(
    bounds: Sequence[Bound], source: str = "conversations", columns: str = "conversations.*"
) -> tuple[str, list[object]]:
    """Build the query and its values, the limit excepted."""
    condition = " AND ".join(condition for condition, _ in bounds) or "TRUE"
    values = [value for _, values in bounds for value in values]
    # The conditions are this package's own; what a caller says is always bound.
    return f"SELECT {columns} FROM {source} WHERE {condition} {_NEWEST_FIRST}", values  # noqa: S608
