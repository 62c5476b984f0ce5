"""The two halves of a turn, each the inside of one transaction."""

import sqlite3
from dataclasses import replace

from app.domain.conversation import (
    MAX_PREVIEW_CHARS,
    TAKEN,
    Answer,
    Finished,
    Message,
    Question,
    Turn,
)
from app.domain.errors import AssistantMismatch, TurnMismatch, TurnNotLast
from app.domain.figures import turn_counts
from app.storage.sqlite.conversations.history import read_turn
from app.storage.sqlite.conversations.leases import expire_turn, refuse_while_running
from app.storage.sqlite.conversations.marks import refresh_marks
from app.storage.sqlite.conversations.opening import (
    POSITIONS_A_TURN,
    has_said_more,
    open_conversation,
)
from app.storage.sqlite.figures import add_counts, count_visit
from app.storage.sqlite.people.notices import put_notice
from app.storage.sqlite.rows import from_answer, to_message, to_message_id


def begin_turn(
    db: sqlite3.Connection,
    question: Question,
    *,
    history_limit: int,
    lease_ms: int,
    now: int,
    notes_starts: bool = False,
) -> Turn:
    """Store a question and take the lease: see ``ConversationStore``."""
    opened = open_conversation(
        db, question.session_id, question.assistant, now=now, notes_starts=notes_starts
    )
    asked = _find_question(db, opened["key"], question.turn_id)
    _refuse_contradiction(db, question, opened, asked)
    if asked is not None and not question.regenerate:
        answer = _complete_answer(db, opened, asked)
        if answer is not None:
            turn = read_turn(db, question, opened, asked["position"], history_limit)
            return replace(turn, answer=answer)
    if opened["state"] != "bot":
        return _leave_to_people(db, question, opened, asked, now)
    refuse_while_running(db, opened, now, lease_ms)
    expire_turn(db, opened, now)
    count_visit(db, opened, now)
    if asked is None:
        position = _store_question(db, opened, question, now)
    else:
        position = _begin_next_attempt(db, opened, asked)
    db.execute(
        "UPDATE conversations SET running_position = ?, lease_until = ? WHERE key = ?",
        (position, now + lease_ms, opened["key"]),
    )
    return read_turn(db, question, opened, position, history_limit)


def finish_turn(db: sqlite3.Connection, turn: Turn, answer: Answer, *, now: int) -> Finished | None:
    """Store how a turn ended: see ``ConversationStore``."""
    opened = db.execute(
        "SELECT * FROM conversations WHERE id = ?", (turn.conversation_id,)
    ).fetchone()
    asked = opened and _find_question(db, opened["key"], turn.id)
    if asked is None or not turn.attempt or asked["attempt"] != turn.attempt:
        return None
    if asked["finished_attempt"] == turn.attempt:
        return _finished(opened, asked, was_said=asked["status"] is None)
    if asked["taken_attempt"] == turn.attempt:
        answer = replace(answer, status="partial", finish_reason=TAKEN, gap=None)
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


def _leave_to_people(
    db: sqlite3.Connection,
    question: Question,
    opened: sqlite3.Row,
    asked: sqlite3.Row | None,
    now: int,
) -> Turn:
    if asked is None:
        count_visit(db, opened, now)
        position = _store_question(db, opened, question, now, attempt=0)
        db.execute("UPDATE conversations SET unread = unread + 1 WHERE key = ?", (opened["key"],))
        message_id = to_message_id(opened["id"], position)
        put_notice(db, "message.created", opened, message_id, now=now)
    return Turn(
        id=question.turn_id,
        attempt=0,
        session_id=question.session_id,
        conversation_id=opened["id"],
        prompt=(),
        state=opened["state"],
    )


def _find_question(db: sqlite3.Connection, conversation: int, turn_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM messages WHERE conversation = ? AND turn_id = ? AND role = 'user'",
        (conversation, turn_id),
    ).fetchone()
    return row


def _refuse_contradiction(
    db: sqlite3.Connection, question: Question, opened: sqlite3.Row, asked: sqlite3.Row | None
) -> None:
    if opened["assistant"] != question.assistant:
        raise AssistantMismatch
    if asked is not None and asked["content"] != question.content:
        raise TurnMismatch
    if question.regenerate and (asked is None or has_said_more(db, opened, asked["position"] + 1)):
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


def _store_question(
    db: sqlite3.Connection,
    opened: sqlite3.Row,
    question: Question,
    now: int,
    *,
    attempt: int = 1,
) -> int:
    position: int = opened["next_position"]
    preview = question.content[:MAX_PREVIEW_CHARS]
    db.execute(
        "INSERT INTO messages (conversation, position, turn_id, role, content, created_at, attempt)"
        " VALUES (?, ?, ?, 'user', ?, ?, ?)",
        (opened["key"], position, question.turn_id, question.content, now, attempt),
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
    if not has_said_more(db, opened, position):
        db.execute(
            "UPDATE conversations SET last_message = ? WHERE key = ?",
            (answer.content[:MAX_PREVIEW_CHARS], opened["key"]),
        )
