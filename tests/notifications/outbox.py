"""An outbox in an SQLite file, as the port wants it, and conversations as a test says they are."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from app.domain.conversation import Conversation, Message, SessionEvent, SessionEvents, Thread
from app.domain.errors import ConversationNotFound
from app.domain.people import Contact, Notice, NoticeType

NOW_MS = 1_790_000_000_000


class MsClock:
    """A clock in ms that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOW_MS

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += int(seconds * 1000)


class NoticesInFile:
    """The part of a ``PeopleStore`` that keeps notices; events come from ``threads``."""

    def __init__(self, path: Path | str, clock: Callable[[], int], threads: "Threads") -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS notices (id TEXT PRIMARY KEY, key TEXT UNIQUE, notice TEXT,"
            " due_at INTEGER, holder TEXT, lease_until INTEGER, is_over INTEGER DEFAULT 0)"
        )
        self._clock = clock
        self._threads = threads
        self.settled = 0

    def put_notice(
        self,
        kind: NoticeType,
        assistant: str,
        conversation_id: str | None = None,
        message_id: str | None = None,
        *,
        key: str | None = None,
    ) -> None:
        (count,) = self._db.execute("SELECT count(*) FROM notices").fetchone()
        notice = Notice(f"n{count}", kind, self._clock(), assistant, conversation_id, message_id)
        self._db.execute(
            "INSERT OR IGNORE INTO notices (id, key, notice, due_at) VALUES (?, ?, ?, ?)",
            (notice.id, key, json.dumps(notice), self._clock()),
        )

    def claim_notices(self, holder: str, *, lease_s: float, limit: int) -> Sequence[Notice]:
        now = self._clock()
        self._db.execute("BEGIN IMMEDIATE")
        rows = self._db.execute(
            "SELECT id, notice FROM notices WHERE NOT is_over AND due_at <= ?"
            " AND coalesce(lease_until, 0) <= ? ORDER BY due_at LIMIT ?",
            (now, now, limit),
        ).fetchall()
        for name, _ in rows:
            self._db.execute(
                "UPDATE notices SET holder = ?, lease_until = ? WHERE id = ?",
                (holder, now + lease_s * 1000, name),
            )
        self._db.execute("COMMIT")
        return [Notice(*json.loads(text)) for _, text in rows]

    def settle_notice(self, holder: str, notice: Notice, *, retry_in_s: float | None) -> None:
        due_at = self._clock() + round((retry_in_s or 0) * 1000)
        notice = notice._replace(due_at=due_at)
        self.settled += self._db.execute(
            "UPDATE notices SET notice = ?, due_at = ?, lease_until = NULL, is_over = ?"
            " WHERE id = ? AND holder = ?",
            (json.dumps(notice), due_at, retry_in_s is None, notice.id, holder),
        ).rowcount

    def list_notices(self, *, limit: int) -> Sequence[Notice]:
        rows = self._db.execute("SELECT notice FROM notices ORDER BY rowid DESC LIMIT ?", (limit,))
        return [Notice(*json.loads(text)) for (text,) in rows]

    def events_since(self, session_id: str, after: int, *, limit: int = 100) -> SessionEvents:
        said = [each for each in self._threads.messages if each.role in ("operator", "system")]
        events = [SessionEvent(n, each) for n, each in enumerate(said, 1)][after:][:limit]
        return SessionEvents(self._threads.conversation.state, events, after + len(events))

    @property
    def newest(self) -> Notice:
        return self.list_notices(limit=1)[0]


class Threads:
    """A store with one conversation, and with what is used up and who does which job."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.conversation = Conversation(
            "c1", "ps_session", NOW_MS, NOW_MS, state="waiting",
            contact=Contact("ada@example.org", "Ada", NOW_MS),
        )  # fmt: skip
        self.messages: list[Message] = []
        self.revoked: set[str] = set()
        self.is_deleted = False
        self._clock = clock
        self._lease: tuple[str, float] = ("", 0)

    def set(self, **fields: object) -> None:
        self.conversation = replace(self.conversation, **fields)  # type: ignore[arg-type]

    def say(self, role: str, content: str, **fields: object) -> str:
        """Append a message; returns its id."""
        name = f"m{len(self.messages)}"
        message = Message(role, content, self._clock(), name)  # type: ignore[arg-type]
        self.messages.append(replace(message, **fields))  # type: ignore[arg-type]
        self.set(unread=self.conversation.unread + (role == "user"))
        return name

    def read_thread(
        self,
        conversation_id: str,
        *,
        limit: int = 0,
        cursor: str | None = None,
        newest_first: bool = False,
    ) -> Thread:
        if self.is_deleted or conversation_id != self.conversation.id:
            raise ConversationNotFound
        end = int(cursor) if cursor else len(self.messages)
        begin = max(0, end - limit)
        return Thread(self.conversation, self.messages[begin:end], str(begin) if begin else None)

    def read_session(self, _session_id: str, *, limit: int) -> Thread:
        return self.read_thread("c1", limit=limit)

    def revoke(self, token_id: str) -> bool:
        is_new = token_id not in self.revoked
        self.revoked.add(token_id)
        return is_new

    def is_revoked(self, token_id: str) -> bool:
        return token_id in self.revoked

    def begin_job(self, _name: str, holder: str, *, lease_s: float, every_s: float) -> bool:
        who, until = self._lease
        if who != holder and until > self._clock():
            return False
        self._lease = (holder, self._clock() + lease_s * 1000)
        return True

    def end_job(self, _name: str, holder: str) -> None:
        if self._lease[0] == holder:
            self._lease = ("", 0)
