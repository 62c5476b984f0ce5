"""Where in a listed conversation the searched text stands."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence

from app.domain.conversation import Match
from app.domain.search_query import SearchQuery, cut_excerpt
from app.storage.sqlite.conversations.searches import said
from app.storage.sqlite.conversations.threads import cursor_around
from app.storage.sqlite.rows import to_message_id

# No more is begun after this time: the rest of the page goes without.
MATCH_S = 0.03
# Of a conversation, its newest; so many of which every newest page shows.
_MAX_MESSAGES = 200
_SHOWN_AT_ONCE = 50


def find_matches(
    db: sqlite3.Connection,
    rows: Sequence[sqlite3.Row],
    query: SearchQuery,
    clock_s: Callable[[], float],
) -> Mapping[int, Match]:
    """Find the newest match of each conversation, by the conversation's key."""
    condition, values = said(query)
    sql = (
        "SELECT position, role, content FROM (SELECT position, role, content, turn_id, request_id"  # noqa: S608
        " FROM messages WHERE conversation = ? ORDER BY position DESC LIMIT ?)"
        f" AS messages WHERE {condition} LIMIT 1"
    )
    found: dict[int, Match] = {}
    begun_at = clock_s()
    for row in rows:
        if clock_s() - begun_at > MATCH_S:
            break
        message = db.execute(sql, (row["key"], _MAX_MESSAGES, *values)).fetchone()
        if message is not None:
            found[row["key"]] = _to_match(row, message, query)
    return found


def _to_match(row: sqlite3.Row, message: sqlite3.Row, query: SearchQuery) -> Match:
    position: int = message["position"]
    is_far = row["next_position"] - position > _SHOWN_AT_ONCE
    return Match(
        to_message_id(row["id"], position),
        message["role"],
        cut_excerpt(message["content"], query.terms),
        cursor_around(position) if is_far else None,
    )
