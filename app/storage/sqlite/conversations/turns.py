"""The two halves of a turn, each the inside of one transaction."""

import secrets
import sqlite3

from app.domain.conversation import (
    LEASE_EXPIRED,
    MAX_PREVIEW_CHARS,
    Answer,
    Finished,
    Message,
    PromptMessage,
    Question,
    Turn,
)
from app.domain.errors import AssistantMismatch, TurnInProgress, TurnMismatch, TurnNotLast
from app.domain.figures import turn_counts
from app.storage.sqlite.conversations.marks import refresh_marks
from app.storage.sqlite.conversations.sessions import take_user
from app.storage.sqlite.figures import add_counts, count_visit
from app.storage.sqlite.rows import from_answer, to_message, to_message_id, to_sources

# A question and the place that it keeps for its answer.
POSITIONS_A_TURN = 2
_CLOCK_SLACK_MS = 60_000


def begin_turn(
    db: sqlite3.Connection, question: Question, *, history_limit: int, lease_ms: int, now: int
) -> Turn:
    """Store a question and take the lease: see ``ConversationStore``."""
    opened = _open_conversation(db, question, now)
    asked = _find_question(db, opened["key"], question.turn_id)
    _refuse_contradiction(question, opened, asked)
    if asked is not None and not question.regenerate:
        answer = _complete_answer(db, opened, asked)
        if answer is not None:
            return _turn(db, question, opened, asked["position"], history_limit, answer=answer)
    _end_running_turn(db, opened, now, lease_ms)
    count_visit(db, opened, now)
    if asked is None:
        position = _store_question(db, opened, question, now)
    else:
        position = _begin_next_attempt(db, opened, asked)
    db.execute(
        "UPDATE conversations SET running_position = ?, lease_until = ? WHERE key = ?",
        (position, now + lease_ms, opened["key"]),
    )
    return _turn(db, question, opened, position, history_limit)


def finish_turn(db: sqlite3.Connection, turn: Turn, answer: Answer, *, now: int) -> Finished | None:
    """Store how a turn ended: see ``ConversationStore``."""
    opened = db.execute(
        "SELECT * FROM conversations WHERE id = ?", (turn.conversation_id,)
    ).fetchone()
    asked = opened and _find_question(db, opened["key"], turn.id)
    if asked is None or asked["attempt"] != turn.attempt:
        return None
    if asked["finished_attempt"] == turn.attempt:
        return _finished(opened, asked, was_said=asked["status"] is None)
    # What was said bears how the turn ended; where nothing was, its question does.
    silent = None if answer.content else answer
    db.execute(
        "UPDATE messages SET finished_attempt = attempt, status = ?, error_code = ?, request_id = ?"
        " WHERE key = ?",
        (
            silent and silent.status,
            silent and silent.error_code,
            silent and silent.request_id,
            asked["key"],
        ),
    )
    if answer.content:
        _store_answer(db, opened, asked, answer, now)
    db.execute("UPDATE conversations SET updated_at = ? WHERE key = ?", (now, opened["key"]))
    # By position: a later turn may hold the lease by now.
    db.execute(
        "UPDATE conversations SET running_position = NULL, lease_until = NULL"
        " WHERE key = ? AND running_position = ?",
        (opened["key"], asked["position"]),
    )
    refresh_marks(db, opened["key"])
    add_counts(db, opened["assistant"], turn_counts(answer), now)
    return _finished(opened, asked, was_said=bool(answer.content))


def _finished(opened: sqlite3.Row, asked: sqlite3.Row, *, was_said: bool) -> Finished:
    return Finished(to_message_id(opened["id"], asked["position"] + 1) if was_said else None)


def _open_conversation(db: sqlite3.Connection, question: Question, now: int) -> sqlite3.Row:
    found = _find_conversation(db, question.session_id)
    if found is not None:
        return found
    user = take_user(db, question.session_id)
    db.execute(
        "INSERT INTO conversations (id, session_id, created_at, updated_at, user, assistant)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (secrets.token_hex(16), question.session_id, now, now, user, question.assistant),
    )
    opened = _find_conversation(db, question.session_id)
    assert opened is not None  # noqa: S101 (stored in this transaction)
    return opened


def _find_conversation(db: sqlite3.Connection, session_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM conversations WHERE session_id = ?", (session_id,)
    ).fetchone()
    return row


def _find_question(db: sqlite3.Connection, conversation: int, turn_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM messages WHERE conversation = ? AND turn_id = ? AND role = 'user'",
        (conversation, turn_id),
    ).fetchone()
    return row


def _refuse_contradiction(
    question: Question, opened: sqlite3.Row, asked: sqlite3.Row | None
) -> None:
    if opened["assistant"] != question.assistant:
        raise AssistantMismatch
    if asked is not None and asked["content"] != question.content:
        raise TurnMismatch
    last_position = opened["next_position"] - POSITIONS_A_TURN
    if question.regenerate and (asked is None or asked["position"] != last_position):
        raise TurnNotLast


def _complete_answer(
    db: sqlite3.Connection, opened: sqlite3.Row, asked: sqlite3.Row
) -> Message | None:
    if opened["running_position"] == asked["position"] or asked["status"] is not None:
        return None
    row = db.execute(
        "SELECT * FROM messages WHERE conversation = ? AND position = ? AND status = 'complete'",
        (opened["key"], asked["position"] + 1),
    ).fetchone()
    return row and to_message(opened["id"], row)


def _end_running_turn(db: sqlite3.Connection, opened: sqlite3.Row, now: int, lease_ms: int) -> None:
    if opened["running_position"] is None:
        return
    left_ms = opened["lease_until"] - now
    # More than any lease is long: the clock went back, and the lease tells nothing.
    if 0 < left_ms <= lease_ms + _CLOCK_SLACK_MS:
        raise TurnInProgress(retry_after_s=left_ms / 1000, turn_id=_running_turn_id(db, opened))
    db.execute(
        "UPDATE messages SET status = 'error', error_code = ? WHERE conversation = ?"
        " AND position = ?",
        (LEASE_EXPIRED, opened["key"], opened["running_position"]),
    )
    refresh_marks(db, opened["key"])
    add_counts(db, opened["assistant"], turn_counts(Answer("", "error")), now)


def _running_turn_id(db: sqlite3.Connection, opened: sqlite3.Row) -> str | None:
    row = db.execute(
        "SELECT turn_id FROM messages WHERE conversation = ? AND position = ?",
        (opened["key"], opened["running_position"]),
    ).fetchone()
    return row and str(row["turn_id"])


def _store_question(
    db: sqlite3.Connection, opened: sqlite3.Row, question: Question, now: int
) -> int:
    position: int = opened["next_position"]
    preview = question.content[:MAX_PREVIEW_CHARS]
    db.execute(
        "INSERT INTO messages (conversation, position, turn_id, role, content, created_at, attempt)"
        " VALUES (?, ?, ?, 'user', ?, ?, 1)",
        (opened["key"], position, question.turn_id, question.content, now),
    )
    db.execute(
        "UPDATE conversations SET next_position = ?, updated_at = ?, last_message = ?,"
        " last_question = ?, message_count = message_count + 1 WHERE key = ?",
        (position + POSITIONS_A_TURN, now, preview, preview, opened["key"]),
    )
    if question.page is not None:
        db.execute(
            "UPDATE conversations SET page_url = ?, page_title = ? WHERE key = ?",
            (question.page.url, question.page.title, opened["key"]),
        )
    return position


def _begin_next_attempt(db: sqlite3.Connection, opened: sqlite3.Row, asked: sqlite3.Row) -> int:
    db.execute(
        "UPDATE messages SET attempt = attempt + 1, status = NULL, error_code = NULL,"
        " request_id = NULL WHERE key = ?",
        (asked["key"],),
    )
    refresh_marks(db, opened["key"])
    position: int = asked["position"]
    return position


def _store_answer(
    db: sqlite3.Connection, opened: sqlite3.Row, asked: sqlite3.Row, answer: Answer, now: int
) -> None:
    position = asked["position"] + 1
    former = db.execute(
        "DELETE FROM messages WHERE conversation = ? AND position = ?", (opened["key"], position)
    )
    columns = {**from_answer(answer), "assistant": opened["assistant"]}
    db.execute(
        "INSERT INTO messages (conversation, position, turn_id, role, created_at,"  # noqa: S608
        f" {', '.join(columns)}) VALUES (?, ?, ?, 'assistant', ?{', ?' * len(columns)})",
        (opened["key"], position, asked["turn_id"], now, *columns.values()),
    )
    if not former.rowcount:
        db.execute(
            "UPDATE conversations SET message_count = message_count + 1 WHERE key = ?",
            (opened["key"],),
        )
    # The preview shows the last message, and a later turn's question is later.
    db.execute(
        "UPDATE conversations SET last_message = ? WHERE key = ? AND next_position = ?",
        (answer.content[:MAX_PREVIEW_CHARS], opened["key"], position + 1),
    )


def _turn(
    db: sqlite3.Connection,
    question: Question,
    opened: sqlite3.Row,
    position: int,
    history_limit: int,
    *,
    answer: Message | None = None,
) -> Turn:
    rows = db.execute(
        # A question that was refused would be refused with each that follows.
        "SELECT role, content, attempt FROM messages WHERE conversation = ? AND position <= ?"
        " AND (position = ? OR error_code IS NOT 'model_refused')"
        " ORDER BY position DESC LIMIT ?",
        (opened["key"], position, position, history_limit),
    ).fetchall()
    return Turn(
        id=question.turn_id,
        attempt=rows[0]["attempt"],
        session_id=question.session_id,
        conversation_id=opened["id"],
        prompt=[PromptMessage(row["role"], row["content"]) for row in reversed(rows)],
        answer=answer,
        cited=_cited(db, opened, position),
    )


def _cited(db: sqlite3.Connection, opened: sqlite3.Row, before: int) -> list[str]:
    answer = db.execute(
        "SELECT sources FROM messages WHERE conversation = ? AND position < ?"
        " AND role = 'assistant' ORDER BY position DESC LIMIT 1",
        (opened["key"], before),
    ).fetchone()
    sources = to_sources(answer["sources"]) if answer else None
    return [source.url for source in sources or () if source.url is not None]
