"""What is in the file, and how an older file becomes a current one."""

import sqlite3
from collections.abc import Iterator

from app.storage.sqlite.faults import DatabaseFault

# One script for each version; never edit one that was released, append.
MIGRATIONS = (
    """
    CREATE TABLE conversations (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        session_id TEXT NOT NULL UNIQUE,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        last_message TEXT,
        page_url TEXT,
        page_title TEXT,
        user TEXT,
        next_position INTEGER NOT NULL DEFAULT 0,
        -- The turn that holds the session's lease, by its question's position.
        running_position INTEGER,
        lease_until INTEGER,
        -- What stands on some message; see marks.py.
        has_complete INTEGER NOT NULL DEFAULT 0,
        has_partial INTEGER NOT NULL DEFAULT 0,
        has_error INTEGER NOT NULL DEFAULT 0,
        has_up INTEGER NOT NULL DEFAULT 0,
        has_down INTEGER NOT NULL DEFAULT 0
    );
    -- Every index ends in the rowid, the list's second key.
    CREATE INDEX conversations_updated ON conversations (updated_at);
    CREATE INDEX conversations_user ON conversations (user, updated_at) WHERE user IS NOT NULL;
    CREATE INDEX conversations_page ON conversations (page_url, updated_at)
        WHERE page_url IS NOT NULL;
    CREATE INDEX conversations_complete ON conversations (updated_at) WHERE has_complete;
    CREATE INDEX conversations_partial ON conversations (updated_at) WHERE has_partial;
    CREATE INDEX conversations_error ON conversations (updated_at) WHERE has_error;
    CREATE INDEX conversations_up ON conversations (updated_at) WHERE has_up;
    CREATE INDEX conversations_down ON conversations (updated_at) WHERE has_down;

    -- A question takes an even position and keeps the next one for its answer.
    CREATE TABLE messages (
        key INTEGER PRIMARY KEY,
        conversation INTEGER NOT NULL REFERENCES conversations ON DELETE CASCADE,
        position INTEGER NOT NULL,
        turn_id TEXT NOT NULL,
        role TEXT NOT NULL,
        content TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        status TEXT,
        model TEXT,
        prompt_tokens INTEGER,
        completion_tokens INTEGER,
        latency_ms INTEGER,
        first_token_ms INTEGER,
        finish_reason TEXT,
        rating TEXT,
        comment TEXT,
        -- On questions: the newest attempt, and the newest that was finished.
        attempt INTEGER,
        finished_attempt INTEGER,
        UNIQUE (conversation, position)
    );
    CREATE UNIQUE INDEX messages_question ON messages (conversation, turn_id)
        WHERE role = 'user';
    CREATE INDEX messages_status ON messages (conversation, status) WHERE status IS NOT NULL;
    CREATE INDEX messages_rating ON messages (conversation, rating) WHERE rating IS NOT NULL;

    -- Content is never updated in place, so two triggers keep the index true.
    CREATE VIRTUAL TABLE messages_text USING fts5 (
        content, content = 'messages', content_rowid = 'key', tokenize = 'trigram'
    );
    CREATE TRIGGER message_stored AFTER INSERT ON messages BEGIN
        INSERT INTO messages_text (rowid, content) VALUES (new.key, new.content);
    END;
    CREATE TRIGGER message_deleted AFTER DELETE ON messages BEGIN
        INSERT INTO messages_text (messages_text, rowid, content)
        VALUES ('delete', old.key, old.content);
    END;

    CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO counters VALUES ('conversations', 0);
    CREATE TRIGGER conversation_opened AFTER INSERT ON conversations BEGIN
        UPDATE counters SET value = value + 1 WHERE name = 'conversations';
    END;
    CREATE TRIGGER conversation_deleted AFTER DELETE ON conversations BEGIN
        UPDATE counters SET value = value - 1 WHERE name = 'conversations';
    END;
    """,
    """
    -- Counts of a UTC day ('2026-11-22') or hour ('2026-11-22T14'); see app/domain/figures.py.
    CREATE TABLE figures (
        period TEXT NOT NULL,
        name TEXT NOT NULL,
        value INTEGER NOT NULL,
        PRIMARY KEY (period, name)
    ) WITHOUT ROWID;
    CREATE INDEX figures_span ON figures (length(period), period);
    -- Once a day: hours are kept for a week.
    CREATE TRIGGER day_begun AFTER INSERT ON figures
    WHEN length(new.period) = 10 AND new.name = 'turns' BEGIN
        DELETE FROM figures WHERE length(period) = 13 AND period < date(new.period, '-7 days');
    END;
    -- The last day on which the session asked something.
    ALTER TABLE conversations ADD COLUMN seen_day TEXT;
    -- Messages before this position were stored when there were no figures.
    ALTER TABLE conversations ADD COLUMN uncounted_before INTEGER;
    UPDATE conversations SET uncounted_before = next_position;
    CREATE INDEX conversations_uncounted ON conversations (key)
        WHERE uncounted_before IS NOT NULL;
    """,
    """
    -- What is known of a session that has no conversation (yet, or any more).
    CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        user TEXT,
        deleted INTEGER NOT NULL,
        changed_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX sessions_changed ON sessions (changed_at);
    """,
    """
    -- The owner's switches that are thrown; see app/operations/switches.py.
    CREATE TABLE switches (name TEXT PRIMARY KEY) WITHOUT ROWID;
    """,
    """
    -- Signed tokens that are used up before their time: sign-ins that were ended.
    CREATE TABLE revocations (
        token_id TEXT PRIMARY KEY,
        revoked_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX revocations_revoked ON revocations (revoked_at);
    -- What one process of many does: who does it now, and when it was done last.
    CREATE TABLE jobs (
        name TEXT PRIMARY KEY,
        holder TEXT,
        lease_until INTEGER,
        done_at INTEGER
    ) WITHOUT ROWID;
    """,
    """
    -- What a list leads with, kept beside the conversation: no page reads messages for it.
    ALTER TABLE conversations ADD COLUMN last_question TEXT;
    ALTER TABLE conversations ADD COLUMN message_count INTEGER NOT NULL DEFAULT 0;
    UPDATE conversations SET
        message_count = (SELECT count(*) FROM messages WHERE conversation = conversations.key),
        last_question = (
            SELECT substr(content, 1, 500) FROM messages
            WHERE conversation = conversations.key AND role = 'user'
            ORDER BY position DESC LIMIT 1
        );
    -- On the message that bears the status: what the failure was called, and whose request it was.
    ALTER TABLE messages ADD COLUMN error_code TEXT;
    ALTER TABLE messages ADD COLUMN request_id TEXT;
    CREATE INDEX messages_request ON messages (request_id) WHERE request_id IS NOT NULL;
    CREATE INDEX messages_turn ON messages (turn_id) WHERE role = 'user';
    """,
    """
    -- Before there were several assistants, all was the default one's.
    ALTER TABLE conversations ADD COLUMN assistant TEXT NOT NULL DEFAULT 'default';
    CREATE INDEX conversations_assistant ON conversations (assistant, updated_at);
    CREATE INDEX conversations_assistant_partial ON conversations (assistant, updated_at)
        WHERE has_partial;
    CREATE INDEX conversations_assistant_error ON conversations (assistant, updated_at)
        WHERE has_error;
    CREATE INDEX conversations_assistant_up ON conversations (assistant, updated_at) WHERE has_up;
    CREATE INDEX conversations_assistant_down ON conversations (assistant, updated_at)
        WHERE has_down;
    -- The assistant last in the key: the sum of all needs no sort.
    ALTER TABLE figures RENAME TO figures_of_one;
    CREATE TABLE figures (
        period TEXT NOT NULL,
        name TEXT NOT NULL,
        assistant TEXT NOT NULL,
        value INTEGER NOT NULL,
        PRIMARY KEY (period, name, assistant)
    ) WITHOUT ROWID;
    INSERT INTO figures SELECT period, name, 'default', value FROM figures_of_one;
    DROP TABLE figures_of_one;
    CREATE INDEX figures_span ON figures (length(period), period);
    CREATE TRIGGER day_begun AFTER INSERT ON figures
    WHEN length(new.period) = 10 AND new.name = 'turns' BEGIN
        DELETE FROM figures WHERE length(period) = 13 AND period < date(new.period, '-7 days');
    END;
    """,
    """
    -- What assistants know of their owners' pages; see app/storage/document_store.py.
    CREATE TABLE documents (
        number INTEGER PRIMARY KEY,
        assistant TEXT NOT NULL,
        key TEXT NOT NULL,
        -- That of the write that changed the content last.
        version INTEGER NOT NULL,
        changed_at INTEGER NOT NULL,
        -- A tombstone has no content.
        is_forgotten INTEGER NOT NULL,
        kind TEXT NOT NULL,
        title TEXT NOT NULL,
        url TEXT,
        language TEXT,
        is_pinned INTEGER NOT NULL,
        hash TEXT NOT NULL,
        learnt_at INTEGER NOT NULL,
        problem TEXT,
        missing INTEGER NOT NULL,
        -- Last: a list of documents reads none of the pages that a long one takes.
        sections TEXT NOT NULL,
        UNIQUE (assistant, key)
    );
    CREATE INDEX documents_version ON documents (assistant, version);
    CREATE INDEX documents_forgotten ON documents (changed_at) WHERE is_forgotten;
    CREATE TABLE knowledge (assistant TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
    -- How learning goes, and whether somebody asked it to stop since it said so last.
    CREATE TABLE learning (
        assistant TEXT PRIMARY KEY,
        is_cancelled INTEGER NOT NULL,
        report TEXT
    );
    -- On answers: what they cite, as JSON, who gave them, and why the owner should look at them.
    ALTER TABLE messages ADD COLUMN sources TEXT;
    ALTER TABLE messages ADD COLUMN answered_by TEXT;
    ALTER TABLE messages ADD COLUMN gap TEXT;
    -- Whose the answer is, for the two indexes; absent on older ones, which are in neither.
    ALTER TABLE messages ADD COLUMN assistant TEXT;
    CREATE INDEX messages_gap ON messages (assistant, created_at) WHERE gap IS NOT NULL;
    CREATE INDEX messages_sources ON messages (assistant, created_at) WHERE sources <> '[]';
    """,
    """
    -- Who answers, see app/storage/people_store.py; what follows is of the stretch that runs.
    ALTER TABLE conversations ADD COLUMN state TEXT NOT NULL DEFAULT 'bot';
    -- Since a person was asked for, until the first of their words.
    ALTER TABLE conversations ADD COLUMN waiting_since INTEGER;
    ALTER TABLE conversations ADD COLUMN unread INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE conversations ADD COLUMN contact_email TEXT;
    ALTER TABLE conversations ADD COLUMN contact_name TEXT;
    ALTER TABLE conversations ADD COLUMN consented_at INTEGER;
    ALTER TABLE conversations ADD COLUMN last_event INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE conversations ADD COLUMN seen_event INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX conversations_waiting ON conversations (waiting_since) WHERE state = 'waiting';
    CREATE INDEX conversations_human ON conversations (updated_at) WHERE state = 'human';
    -- An operator's words, and events: each takes an even position, and a number n.
    ALTER TABLE messages ADD COLUMN author TEXT;
    ALTER TABLE messages ADD COLUMN event TEXT;
    ALTER TABLE messages ADD COLUMN n INTEGER;
    -- By this an operator's words are known when they are said again.
    ALTER TABLE messages ADD COLUMN said_key TEXT;
    -- On questions: the attempt that ran when a person took over.
    ALTER TABLE messages ADD COLUMN taken_attempt INTEGER;
    CREATE UNIQUE INDEX messages_n ON messages (conversation, n) WHERE n IS NOT NULL;
    CREATE UNIQUE INDEX messages_said ON messages (conversation, said_key)
        WHERE said_key IS NOT NULL;
    -- The outbox: what has to be told outside, and what was.
    CREATE TABLE notices (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        type TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        assistant TEXT NOT NULL,
        conversation INTEGER REFERENCES conversations ON DELETE CASCADE,
        message_id TEXT,
        once_key TEXT UNIQUE,
        -- JSON; absent before the first attempt.
        pending TEXT,
        attempts INTEGER NOT NULL DEFAULT 0,
        due_at INTEGER NOT NULL,
        problem TEXT,
        is_given_up INTEGER NOT NULL DEFAULT 0,
        is_over INTEGER NOT NULL DEFAULT 0,
        holder TEXT,
        lease_until INTEGER
    );
    CREATE INDEX notices_due ON notices (due_at) WHERE NOT is_over;
    CREATE INDEX notices_created ON notices (created_at);
    CREATE INDEX notices_conversation ON notices (conversation) WHERE conversation IS NOT NULL;
    """,
)


def migrate(db: sqlite3.Connection) -> None:
    """Bring the file to the current version; safe from several processes.

    Raises:
        DatabaseFault: a newer Perch wrote the file.
    """
    if _version(db) == len(MIGRATIONS):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        # Read again under the lock: another process may have been first.
        for script in MIGRATIONS[_version(db) :]:
            for statement in _statements(script):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _version(db: sqlite3.Connection) -> int:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise DatabaseFault(
            f"The database was written by a newer Perch (its schema is {version}, "
            f"this one knows {len(MIGRATIONS)}): run that version, or restore a backup."
        )
    return version


def _statements(script: str) -> Iterator[str]:
    # Not executescript: it commits, and a migration is one transaction.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
