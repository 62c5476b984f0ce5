"""What a store must do where people answer: states, events of a session, the outbox.

Each call is atomic, and may raise ``StorageUnavailable``. The state of a conversation
stands with it: ``ConversationStore.begin_turn`` reads it in its own transaction, and
outside of ``bot`` stores the question, takes no lease, and leaves a notice
(``message.created``).
"""

from collections.abc import Sequence
from typing import Protocol

from app.domain.conversation import (
    DEFAULT_ASSISTANT,
    Conversation,
    Message,
    SessionEvents,
)
from app.domain.people import ByOperator, ByVisitor, Contact, HandedOver, Notice, NoticeType, Step

MAX_EVENTS = 100
NOTICE_DAYS = 7


class PeopleStore(Protocol):
    """Handovers, an operator's words, and what has to be told outside."""

    def hand_over(self, by: ByVisitor | ByOperator, step: Step) -> HandedOver:
        """Change who answers, with a system's message in the thread and a notice.

        ``ask``: bot → waiting. ``take``: bot or waiting → human. ``release``: → bot.
        ``close``: → bot, and out of the inbox. Done again it changes nothing, says nothing, and
        leaves no notice. A visitor who asks before the first question opens the conversation.
        Taking ends the lease of a turn that runs: whatever its ``finish_turn`` brings
        afterwards is stored as ``partial``, with the reason ``taken``, before the take-over.

        Raises:
            AssistantMismatch: the session's conversation is another assistant's.
            ConversationNotFound, SessionExpired: there is nothing to hand over.
        """
        ...

    def say(self, by: ByOperator, text: str, *, key: str) -> Message:
        """Store an operator's words; the first of them take the conversation over.

        ``key`` names the words for good: said again, they are the same message.

        Raises:
            ConversationNotFound: no conversation has this id.
        """
        ...

    def events_since(
        self, session_id: str, after: int, *, limit: int = MAX_EVENTS
    ) -> SessionEvents:
        """Return what operators said and did in a session after its event ``after``, in order.

        0 is before the first. A session without a conversation has none. A number that is
        greater than the newest is of a conversation that was deleted: as 0.

        Raises:
            SessionExpired: the session was deleted.
        """
        ...

    def set_contact(
        self, session_id: str, contact: Contact, *, assistant: str = DEFAULT_ASSISTANT
    ) -> None:
        """Keep where the visitor may be answered; with the conversation, which this may open.

        The same address and name again change nothing. The store's time stands where the
        contact tells none.

        Raises:
            AssistantMismatch: the session's conversation is another assistant's.
            SessionExpired: the session was deleted.
        """
        ...

    def list_inbox(self, *, assistant: str | None, limit: int) -> Sequence[Conversation]:
        """Return conversations that wait, the longest first, then those of people, newest first."""
        ...

    def note_seen(self, conversation_id: str, *, by_visitor: bool, event: int = 0) -> None:
        """Note that an operator has read the thread, or the visitor its events so far."""
        ...

    def find_by_user(self, user: str, assistant: str) -> Conversation | None:
        """Return an identified user's conversation that was updated last."""
        ...

    def put_notice(
        self,
        kind: NoticeType,
        assistant: str,
        conversation_id: str | None = None,
        message_id: str | None = None,
        *,
        key: str | None = None,
    ) -> None:
        """Put something into the outbox; once for a ``key``, where there is one.

        Nothing where no conversation has this id. Notices go with their conversation, and
        after ``NOTICE_DAYS``.
        """
        ...

    def claim_notices(self, holder: str, *, lease_s: float, limit: int) -> Sequence[Notice]:
        """Take notices that are due, oldest first; nobody else gets them while the lease runs."""
        ...

    def settle_notice(self, holder: str, notice: Notice, *, retry_in_s: float | None) -> None:
        """Note what came of an attempt, as ``notice`` says it; without ``retry_in_s`` it is over.

        It may be claimed again in ``retry_in_s``. Until somebody does, its holder may settle it
        again: after each of its targets. Nothing where it is another holder's by now.
        """
        ...

    def list_notices(self, *, limit: int) -> Sequence[Notice]:
        """Return the newest notices of the last ``NOTICE_DAYS``, done ones too, newest first."""
        ...
