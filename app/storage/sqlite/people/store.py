"""``PeopleStore`` on one SQLite file: each method one transaction."""

from collections.abc import Callable, Sequence

from app.domain.conversation import DEFAULT_ASSISTANT, Conversation, Message, SessionEvents
from app.domain.people import ByOperator, ByVisitor, Contact, HandedOver, Notice, NoticeType, Step
from app.storage.people_store import MAX_EVENTS
from app.storage.sqlite.database import Database
from app.storage.sqlite.people import (
    events,
    handovers,
    inbox,
    notices,
)


class SqlitePeople:
    """Handovers, words and notices in the file of the conversations."""

    def __init__(
        self, database: Database, clock_ms: Callable[[], int], *, notes_starts: bool
    ) -> None:
        self._database = database
        self._clock_ms = clock_ms
        self._notes_starts = notes_starts

    def hand_over(self, by: ByVisitor | ByOperator, step: Step) -> HandedOver:
        """Change who answers."""
        return self._database.write(
            lambda db: handovers.hand_over(
                db, by, step, now=self._clock_ms(), notes_starts=self._notes_starts
            )
        )

    def say(self, by: ByOperator, text: str, *, key: str) -> Message:
        """Store an operator's words."""
        return self._database.write(
            lambda db: handovers.say(db, by, text, key=key, now=self._clock_ms())
        )

    def events_since(
        self, session_id: str, after: int, *, limit: int = MAX_EVENTS
    ) -> SessionEvents:
        """Return what operators said and did after an event, in order."""
        return self._database.read(
            lambda db: events.events_since(db, session_id, after, limit=limit)
        )

    def set_contact(
        self, session_id: str, contact: Contact, *, assistant: str = DEFAULT_ASSISTANT
    ) -> None:
        """Keep where the visitor may be answered."""
        self._database.write(
            lambda db: handovers.set_contact(
                db,
                session_id,
                contact,
                assistant,
                now=self._clock_ms(),
                notes_starts=self._notes_starts,
            )
        )

    def list_inbox(self, *, assistant: str | None, limit: int) -> Sequence[Conversation]:
        """Return conversations that wait, then those of people."""
        return self._database.read(
            lambda db: inbox.list_inbox(db, assistant=assistant, limit=limit)
        )

    def note_seen(self, conversation_id: str, *, by_visitor: bool, event: int = 0) -> None:
        """Note that an operator has read the thread, or the visitor its events so far."""
        self._database.write(
            lambda db: events.note_seen(db, conversation_id, by_visitor=by_visitor, event=event)
        )

    def find_by_user(self, user: str, assistant: str) -> Conversation | None:
        """Return an identified user's conversation that was updated last."""
        return self._database.read(lambda db: inbox.find_by_user(db, user, assistant))

    def put_notice(
        self,
        kind: NoticeType,
        assistant: str,
        conversation_id: str | None = None,
        message_id: str | None = None,
        *,
        key: str | None = None,
    ) -> None:
        """Put something into the outbox."""
        self._database.write(
            lambda db: notices.put_named_notice(
                db, kind, assistant, conversation_id, message_id, key=key, now=self._clock_ms()
            )
        )

    def claim_notices(self, holder: str, *, lease_s: float, limit: int) -> Sequence[Notice]:
        """Take notices that are due, oldest first."""
        return self._database.write(
            lambda db: notices.claim_notices(
                db, holder, lease_ms=round(lease_s * 1000), limit=limit, now=self._clock_ms()
            )
        )

    def settle_notice(self, holder: str, notice: Notice, *, retry_in_s: float | None) -> None:
        """Note what came of an attempt."""
        retry_in_ms = None if retry_in_s is None else round(retry_in_s * 1000)
        self._database.write(
            lambda db: notices.settle_notice(
                db, holder, notice, retry_in_ms=retry_in_ms, now=self._clock_ms()
            )
        )

    def list_notices(self, *, limit: int) -> Sequence[Notice]:
        """Return the newest notices of the last days, newest first."""
        return self._database.read(
            lambda db: notices.list_notices(db, limit=limit, now=self._clock_ms())
        )
