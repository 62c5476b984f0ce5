"""``ConversationStore`` on one SQLite file: each method one transaction."""

from collections.abc import Callable, Sequence
from pathlib import Path

from app.domain.clock import now_ms
from app.domain.conversation import (
    DEFAULT_ASSISTANT,
    Answer,
    ConversationFilter,
    ConversationPage,
    Feedback,
    Finished,
    Mark,
    MarkedTurn,
    PurgedBatch,
    Question,
    Thread,
    Turn,
)
from app.domain.errors import StorageUnavailable
from app.domain.figures import Counts, DayFigures
from app.domain.knowledge import StoreState
from app.storage.document_store import DocumentStore
from app.storage.people_store import PeopleStore
from app.storage.protocol import EVERYTHING
from app.storage.sqlite import (
    backfill,
    figures,
    jobs,
    retention,
    revocations,
    switches,
)
from app.storage.sqlite.conversations import (
    listing,
    marks,
    sessions,
    threads,
    turns,
)
from app.storage.sqlite.database import Database
from app.storage.sqlite.documents.store import SqliteDocuments
from app.storage.sqlite.people.store import SqlitePeople


class SqliteStore:
    """Conversations in the file at ``path``, made at the first use.

    Several processes may use one file. Leases run by ``clock_ms``. With ``notes_starts``
    there is a notice of each conversation that begins.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        timeout_s: float = 5.0,
        clock_ms: Callable[[], int] = now_ms,
        notes_starts: bool = False,
    ) -> None:
        self._database = Database(Path(path), timeout_s)
        self._clock_ms = clock_ms
        self._notes_starts = notes_starts
        self.documents: DocumentStore = SqliteDocuments(self._database, clock_ms)
        self.people: PeopleStore = SqlitePeople(self._database, clock_ms, notes_starts=notes_starts)

    def begin_turn(self, question: Question, *, history_limit: int, lease_s: float) -> Turn:
        """Store a question and take the session's lease."""
        return self._database.write(
            lambda db: turns.begin_turn(
                db,
                question,
                history_limit=history_limit,
                lease_ms=round(lease_s * 1000),
                now=self._clock_ms(),
                notes_starts=self._notes_starts,
            )
        )

    def finish_turn(self, turn: Turn, answer: Answer) -> Finished | None:
        """Store how a turn ended and give its lease back."""
        return self._database.write(
            lambda db: turns.finish_turn(db, turn, answer, now=self._clock_ms())
        )

    def list_conversations(
        self,
        *,
        limit: int,
        cursor: str | None = None,
        where: ConversationFilter = EVERYTHING,
    ) -> ConversationPage:
        """Return conversations, newest-updated first."""
        return self._database.read(
            lambda db: listing.list_conversations(db, limit=limit, cursor=cursor, where=where)
        )

    def list_marked_turns(
        self, mark: Mark, *, limit: int, assistant: str | None = None
    ) -> Sequence[MarkedTurn]:
        """Return the newest turn with this mark of each conversation that has one."""
        return self._database.read(
            lambda db: marks.list_marked_turns(db, mark, limit=limit, assistant=assistant)
        )

    def read_thread(
        self,
        conversation_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        newest_first: bool = False,
    ) -> Thread:
        """Return a conversation and its messages, oldest first."""
        read = threads.read_thread_back if newest_first else threads.read_thread
        return self._database.read(lambda db: read(db, conversation_id, limit=limit, cursor=cursor))

    def read_session(
        self, session_id: str, *, limit: int, cursor: str | None = None
    ) -> Thread | None:
        """Return a session's conversation with its newest messages."""
        return self._database.read(
            lambda db: threads.read_session(
                db, session_id, limit=limit, cursor=cursor, now=self._clock_ms()
            )
        )

    def delete_session(self, session_id: str) -> None:
        """Delete a session for good."""
        self._database.write(
            lambda db: sessions.delete_session(db, session_id, now=self._clock_ms())
        )

    def is_session_deleted(self, session_id: str) -> bool:
        """Tell whether a session was deleted."""
        return self._database.read(lambda db: sessions.is_deleted(db, session_id))

    def set_user(self, session_id: str, user: str) -> None:
        """Say whose session it is."""
        self._database.write(
            lambda db: sessions.set_user(db, session_id, user, now=self._clock_ms())
        )

    def delete_conversation(self, conversation_id: str) -> bool:
        """Delete a conversation and all its messages."""
        return self._database.write(lambda db: threads.delete_conversation(db, conversation_id))

    def rate_message(self, session_id: str, message_id: str, feedback: Feedback) -> None:
        """Set the feedback of one of the session's answers."""
        self._database.write(lambda db: threads.rate_message(db, session_id, message_id, feedback))

    def read_figures(
        self, first: str, last: str, assistant: str | None = None
    ) -> Sequence[DayFigures]:
        """Return the figures of days or hours, oldest first."""
        return self._database.read(lambda db: figures.read_figures(db, first, last, assistant))

    def add_figures(self, counts: Counts, assistant: str = DEFAULT_ASSISTANT) -> None:
        """Add to an assistant's figures of today what no turn counts."""
        self._database.write(lambda db: figures.add_counts(db, assistant, counts, self._clock_ms()))

    def backfill_figures(self) -> int:
        """Count a batch of conversations that are older than the figures."""
        return self._database.write(backfill.backfill_figures)

    def read_state(self) -> StoreState:
        """Return what every turn depends on, as one read."""
        return self._database.read(switches.read_state)

    def set_switch(self, name: str, *, thrown: bool) -> None:
        """Throw a switch, or put it back."""
        self._database.write(lambda db: switches.set_switch(db, name, thrown=thrown))

    def revoke(self, token_id: str) -> bool:
        """Remember that a token is used up."""
        return self._database.write(
            lambda db: revocations.revoke(db, token_id, now=self._clock_ms())
        )

    def is_revoked(self, token_id: str) -> bool:
        """Tell whether a token was used up."""
        return self._database.read(lambda db: revocations.is_revoked(db, token_id))

    def begin_job(self, name: str, holder: str, *, lease_s: float, every_s: float) -> bool:
        """Take the lease of a job, or prolong it."""
        return self._database.write(
            lambda db: jobs.begin_job(
                db,
                name,
                holder,
                lease_ms=round(lease_s * 1000),
                every_ms=round(every_s * 1000),
                now=self._clock_ms(),
            )
        )

    def end_job(self, name: str, holder: str) -> None:
        """Note that a job is done."""
        self._database.write(lambda db: jobs.end_job(db, name, holder, now=self._clock_ms()))

    def purge(self, *, unused_days: int) -> PurgedBatch:
        """Delete a batch of conversations unused for so long."""
        return self._database.write(
            lambda db: retention.purge(db, unused_days=unused_days, now=self._clock_ms())
        )

    def ping(self) -> None:
        """Return when the file can be read and written."""
        try:
            # A true write: a full or read-only disk shows only there.
            self._database.write(lambda db: db.execute("UPDATE counters SET value = value"))
        except StorageUnavailable as failure:
            raise StorageUnavailable(str(failure.__cause__)) from failure

    def close(self) -> None:
        """Give back connections and threads."""
        self._database.close()
