"""Whatever a store keeps stands in the table of ``docs/security.md``."""

import re
import sqlite3
from contextlib import closing

from app.storage.sqlite.schema import migrate
from tests.docs.blocks import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
SECTION = PAGE.split("\n## What is kept of a visitor\n")[1].split("\n## ")[0]

SAID = "what was said, by both"
PLACE = "address and title of the page"
USER = "the user, as your server signed it"
OPINION = "thumbs and comments"
CITED = "what an answer cites, and a mark"
STATE = "the state of a conversation"
CONTACT = "an address and a name"
NOTICES = "what has to be told outside"
SESSION = "the session's id"
DELETED = "that a session was deleted"
FIGURES = "figures of days and hours"
OPERATORS = "**Of you**"

# Of each column of SQLite and each field of Convex, the line that tells of it.
KEPT = {
    SAID: {
        "conversations": """
            key id created_at updated_at last_message last_question message_count next_position
            running_position lease_until uncounted_before seen_day assistant
            has_complete has_partial has_error
            createdAt updatedAt lastMessage nextPosition lease lastQuestion messageCount tally
            hasPartial hasError counted seenDay figured figuring
        """,
        "messages": """
            key conversation position turn_id role content created_at status model prompt_tokens
            completion_tokens latency_ms first_token_ms finish_reason attempt finished_attempt
            error_code request_id
            conversationId createdAt turnId finished usage latencyMs firstTokenMs finishReason
            errorCode requestId
        """,
        "messages_text": "content",
    },
    PLACE: {"conversations": "page_url page_title page"},
    USER: {"conversations": "user", "sessions": "user"},
    OPINION: {
        "conversations": "has_up has_down hasUp hasDown",
        "messages": "rating comment feedback",
    },
    CITED: {
        "messages": "sources answered_by gap assistant answeredBy gapOf sourcesOf",
    },
    STATE: {
        "conversations": """
            state waiting_since unread last_event seen_event
            waitingSince lastEvent seenEvent changer
        """,
        "messages": "author event n said_key taken_attempt saidKey taken",
    },
    CONTACT: {"conversations": "contact_email contact_name consented_at contact"},
    NOTICES: {
        "notices": """
            id type created_at assistant conversation message_id pending attempts due_at problem
            is_given_up is_over holder lease_until once_key
            createdAt conversationId messageId dueAt isGivenUp isOver lease key
        """,
    },
    SESSION: {"conversations": "session_id sessionId"},
    DELETED: {"sessions": "id deleted changed_at sessionId changedAt"},
    FIGURES: {
        "figures": "period name assistant value span shard counts",
        "counters": "name value shard",
    },
    OPERATORS: {
        "switches": "name",
        "revocations": "token_id revoked_at tokenId revokedAt",
        "jobs": "name holder lease_until done_at lease doneAt",
        "documents": """
            number assistant key version changed_at is_forgotten kind title url language is_pinned
            hash learnt_at problem missing sections
            changedAt isForgotten isPinned learntAt bytes sectionsId
        """,
        "sections": "sections",
        "knowledge": "assistant version hasDocuments",
        "learning": "assistant is_cancelled report isCancelled reporter goesOn",
    },
}  # fmt: skip


def columns_of_sqlite() -> set[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        migrate(db)
        tables = [
            name
            for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            # The text index has tables of its own, made of the messages' words.
            if not re.match(r"messages_text_|sqlite_", name)
        ]
        return {
            (table, column)
            for table in tables
            for (column,) in db.execute("SELECT name FROM pragma_table_info(?)", (table,))
        }


def schema_of_convex() -> str:
    """Return the schema with the fields that it shares, and without comments."""
    functions = ROOT / "convex" / "functions"
    schema = (functions / "schema.ts").read_text(encoding="utf-8")
    validators = (functions / "model" / "validators.ts").read_text(encoding="utf-8")
    while spread := re.search(r"\.\.\.(\w+),", schema):
        shared = re.search(rf"const {spread[1]} = \{{(.*?)\n\}};", validators, re.S)
        assert shared
        schema = schema.replace(spread[0], shared[1])
    return re.sub(r"//.*", "", schema)


def fields_of_convex() -> set[tuple[str, str]]:
    found = set()
    for table, rest in re.findall(
        r"(\w+): defineTable\(\{(.*?)(?=\w+: defineTable|\Z)", schema_of_convex(), re.S
    ):
        # What stands inside a field's own value is part of it.
        depth, flat = 1, ""
        for letter in rest:
            depth += {"{": 1, "(": 1, "}": -1, ")": -1}.get(letter, 0)
            if depth == 0:
                break
            flat += letter if depth == 1 else ""
        found |= {(table, part.split(":")[0].strip()) for part in flat.split(",") if part.strip()}
    return found


def test_whatever_a_store_keeps_is_told() -> None:
    sqlite, convex = columns_of_sqlite(), fields_of_convex()
    told = {
        (table, column)
        for tables in KEPT.values()
        for table, columns in tables.items()
        for column in columns.split()
    }

    assert len(convex) > 40
    assert told == sqlite | convex
    missing = [line for line in KEPT if line not in SECTION]
    assert missing == []
