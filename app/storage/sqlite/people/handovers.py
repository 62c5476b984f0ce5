"""Who answers, and what operators say, each the inside of one transaction."""

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from app.domain.conversation import Message
from app.domain.errors import AssistantMismatch, ConversationNotFound, SessionExpired
from app.domain.people import (
    ByOperator,
    ByVisitor,
    Contact,
    ConversationState,
    EventKind,
    HandedOver,
    NoticeType,
    Step,
)
from app.storage.sqlite.conversations.leases import take_turn
from app.storage.sqlite.conversations.opening import find_conversation, open_conversation
from app.storage.sqlite.conversations.sessions import is_deleted
from app.storage.sqlite.figures import add_counts
from app.storage.sqlite.people.events import add_event, add_words
from app.storage.sqlite.people.notices import put_notice
from app.storage.sqlite.rows import to_message


class _Change(NamedTuple):
    """What a step does: from these states to that one, and what tells of it."""

    before: frozenset[ConversationState]
    after: ConversationState
    event: EventKind
    notice: NoticeType | None


_PEOPLE: frozenset[ConversationState] = frozenset({"waiting", "human"})
_CHANGES: Mapping[Step, _Change] = {
    "ask": _Change(frozenset({"bot"}), "waiting", "asked", "conversation.waiting"),
    "take": _Change(frozenset({"bot", "waiting"}), "human", "taken", "conversation.taken"),
    "release": _Change(_PEOPLE, "bot", "released", None),
    "close": _Change(_PEOPLE, "bot", "closed", "conversation.closed"),
}


def hand_over(
    db: sqlite3.Connection,
    by: ByVisitor | ByOperator,
    step: Step,
    *,
    now: int,
    notes_starts: bool = False,
) -> HandedOver:
    """Change who answers: see ``PeopleStore``."""
    if isinstance(by, ByOperator):
        opened, author = _find(db, by), by.name
    else:
        opened, author = _find_visitors(db, by, step, now, notes_starts=notes_starts), None
    change = _CHANGES[step]
    is_new = opened["state"] in change.before
    if is_new:
        _change(db, opened, change, author, now)
    return HandedOver(
        conversation_id=opened["id"],
        session_id=opened["session_id"],
        assistant=opened["assistant"],
        state=change.after if is_new else opened["state"],
        is_new=is_new,
    )


def say(db: sqlite3.Connection, by: ByOperator, text: str, *, key: str, now: int) -> Message:
    """Store an operator's words: see ``PeopleStore``."""
    opened = _find(db, by)
    said = db.execute(
        "SELECT * FROM messages WHERE conversation = ? AND said_key = ?", (opened["key"], key)
    ).fetchone()
    if said is not None:
        return to_message(opened["id"], said)
    if opened["state"] != "human":
        _change(db, opened, _CHANGES["take"], by.name, now)
    counts = {"operator_answers": 1}
    if opened["waiting_since"] is not None:
        counts["waiting_ms"] = max(0, now - opened["waiting_since"])
    add_counts(db, opened["assistant"], counts, now)
    message = to_message(opened["id"], add_words(db, opened, text, by.name, key, now))
    put_notice(db, "message.created", opened, message.id, now=now)
    return message


def set_contact(
    db: sqlite3.Connection,
    session_id: str,
    contact: Contact,
    assistant: str,
    *,
    now: int,
    notes_starts: bool = False,
) -> None:
    """Keep where the visitor may be answered: see ``PeopleStore``."""
    opened = open_conversation(db, session_id, assistant, now=now, notes_starts=notes_starts)
    _refuse_other(opened, assistant)
    if (opened["contact_email"], opened["contact_name"]) == (contact.email, contact.name):
        return
    db.execute(
        "UPDATE conversations SET contact_email = ?, contact_name = ?, consented_at = ?"
        " WHERE key = ?",
        (contact.email, contact.name, contact.consented_at or now, opened["key"]),
    )
    add_event(db, opened, "contact", None, now)
    put_notice(db, "contact.created", opened, now=now)


def _find(db: sqlite3.Connection, by: ByOperator) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM conversations WHERE id = ?", (by.conversation_id,)
    ).fetchone()
    if row is None:
        raise ConversationNotFound
    return row


def _find_visitors(
    db: sqlite3.Connection, by: ByVisitor, step: Step, now: int, *, notes_starts: bool
) -> sqlite3.Row:
    if step == "ask":
        opened = open_conversation(
            db, by.session_id, by.assistant, now=now, notes_starts=notes_starts
        )
    else:
        found = find_conversation(db, by.session_id)
        if found is None:
            raise SessionExpired if is_deleted(db, by.session_id) else ConversationNotFound
        opened = found
    _refuse_other(opened, by.assistant)
    if by.page_url is not None and by.page_url != opened["page_url"]:
        db.execute(
            "UPDATE conversations SET page_url = ?, page_title = NULL WHERE key = ?",
            (by.page_url, opened["key"]),
        )
    return opened


def _refuse_other(opened: sqlite3.Row, assistant: str) -> None:
    if opened["assistant"] != assistant:
        raise AssistantMismatch


def _change(
    db: sqlite3.Connection, opened: sqlite3.Row, change: _Change, author: str | None, now: int
) -> None:
    waiting_since = {"waiting": now, "human": opened["waiting_since"]}.get(change.after)
    db.execute(
        "UPDATE conversations SET state = ?, waiting_since = ?, unread = 0 WHERE key = ?",
        (change.after, waiting_since, opened["key"]),
    )
    if change.after == "human":
        take_turn(db, opened, now)
    if opened["state"] == "bot":
        add_counts(db, opened["assistant"], {"handoffs": 1}, now)
    add_event(db, opened, change.event, author, now)
    if change.notice is not None:
        put_notice(db, change.notice, opened, now=now)
