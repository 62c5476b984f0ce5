"""What a turn is told of what was said before it."""

import sqlite3

from app.domain.conversation import PromptMessage, Question, Turn
from app.storage.sqlite.conversations.opening import given_back_at
from app.storage.sqlite.rows import to_sources


def read_turn(
    db: sqlite3.Connection,
    question: Question,
    opened: sqlite3.Row,
    position: int,
    history_limit: int,
) -> Turn:
    """Return the turn of a question that is stored, with its prompt."""
    rows = db.execute(
        # A question that was refused would be refused with each that follows.
        "SELECT role, content, attempt FROM messages"
        " WHERE conversation = ? AND position BETWEEN ? AND ? AND role <> 'system'"
        " AND (position = ? OR error_code IS NOT 'model_refused')"
        " ORDER BY position DESC LIMIT ?",
        (opened["key"], given_back_at(db, opened, position), position, position, history_limit),
    ).fetchall()
    return Turn(
        id=question.turn_id,
        attempt=rows[0]["attempt"],
        session_id=question.session_id,
        conversation_id=opened["id"],
        prompt=[_to_prompt(row) for row in reversed(rows)],
        cited=_cited(db, opened, position),
    )


def _to_prompt(row: sqlite3.Row) -> PromptMessage:
    role = row["role"]
    return PromptMessage("assistant" if role == "operator" else role, row["content"])


def _cited(db: sqlite3.Connection, opened: sqlite3.Row, before: int) -> list[str]:
    answer = db.execute(
        "SELECT sources FROM messages WHERE conversation = ? AND position < ?"
        " AND role = 'assistant' ORDER BY position DESC LIMIT 1",
        (opened["key"], before),
    ).fetchone()
    sources = to_sources(answer["sources"]) if answer else None
    return [source.url for source in sources or () if source.url is not None]
