"""What a store of conversations must do.

Every write is one half of a turn, or one whole deletion, and is atomic:
after an error nothing of it is stored. Every method may raise
``StorageUnavailable``, within the store's own deadline.
"""

from collections.abc import Sequence
from typing import Protocol

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
from app.domain.figures import Counts, DayFigures
from app.domain.knowledge import StoreState
from app.storage.document_store import DocumentStore
from app.storage.people_store import PeopleStore

EVERYTHING = ConversationFilter()


class ConversationStore(Protocol):
    """Conversations, one per session, each a sequence of turns.

    ``documents`` are what assistants know, and ``people`` what persons answer, in the same place.
    """

    @property
    def documents(self) -> DocumentStore:
        """The store of documents; closed with this one."""
        ...

    @property
    def people(self) -> PeopleStore:
        """The store of what people answer; closed with this one."""
        ...

    def begin_turn(self, question: Question, *, history_limit: int, lease_s: float) -> Turn:
        """Store a question and take the session's lease, in one transaction.

        Opens the session's conversation if there is none. The prompt is
        the last ``history_limit`` messages up to the question, oldest
        first, question included, without a former answer to it.

        A known ``turn_id`` stores no second question. When that turn is
        complete, its answer comes back with it and no lease is taken
        (unless ``regenerate``); after ``partial``, ``error`` or an expired
        lease, the next attempt begins.

        The lease runs ``lease_s`` by the store's clock; a running turn
        whose lease has passed is ended here, and its question kept.

        Where a person answers, see ``PeopleStore``, the question is stored for them, once:
        there is no lease, no prompt, and no attempt (0) to finish. Afterwards the prompt
        begins where the conversation was given back.

        Raises:
            TurnInProgress: a turn of this session holds the lease;
                ``retry_after_s`` is what is left of it.
            TurnMismatch: ``turn_id`` is stored with another text.
            TurnNotLast: ``regenerate`` names another turn than the last.
            AssistantMismatch: the session's conversation is another assistant's.
            SessionExpired: the session was deleted.
        """
        ...

    def finish_turn(self, turn: Turn, answer: Answer) -> Finished | None:
        """Store how a turn ended and give its lease back.

        Applies only to the attempt that ``turn`` names; repeated for the
        same attempt it changes nothing. The answer takes the place of a
        former attempt's, and stands behind its question even when later
        turns were stored meanwhile. Where a person took the conversation over
        meanwhile, it is ``partial``, for the reason ``TAKEN``.

        Returns ``None`` when another attempt, or a deletion, overtook this
        one; a repetition returns what the first call did.
        """
        ...

    def list_conversations(
        self,
        *,
        limit: int,
        cursor: str | None = None,
        where: ConversationFilter = EVERYTHING,
    ) -> ConversationPage:
        """Return conversations, newest-updated first.

        Under a filter a page may be short, or empty, while its cursor
        leads on: the last page is the one without a cursor. Where a text
        is searched for, each comes with its ``match``, as far as that is
        found in time.

        Raises:
            InvalidRequest: the cursor is not one of ours.
        """
        ...

    def list_marked_turns(
        self, mark: Mark, *, limit: int, assistant: str | None = None
    ) -> Sequence[MarkedTurn]:
        """Return the newest turn with this mark of each conversation that has one.

        Of one assistant's conversations, or all, the ``limit`` that were updated last.
        """
        ...

    def read_thread(
        self,
        conversation_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        newest_first: bool = False,
    ) -> Thread:
        """Return a conversation and its messages, oldest first.

        Without ``limit``, all of them, up to ``MAX_THREAD_MESSAGES``, the
        newest where there are more. With ``newest_first`` the pages begin at
        the end; within a page the oldest message still stands first.

        Raises:
            ConversationNotFound: no conversation has this id.
            InvalidRequest: the cursor is not one of ours.
        """
        ...

    def read_session(
        self, session_id: str, *, limit: int, cursor: str | None = None
    ) -> Thread | None:
        """Return a session's conversation with its newest messages.

        The messages stand oldest first; ``next_cursor`` leads to the page
        before them. ``None`` while the session has said nothing.

        Raises:
            SessionExpired: the session was deleted.
            InvalidRequest: the cursor is not one of ours.
        """
        ...

    def delete_session(self, session_id: str) -> None:
        """Delete a session for good: its conversation, and its right to begin another.

        The deletion is remembered for ``SESSION_MEMORY_DAYS``, longer than
        any of its tokens could be renewed.
        """
        ...

    def is_session_deleted(self, session_id: str) -> bool:
        """Tell whether a session was deleted."""
        ...

    def set_user(self, session_id: str, user: str) -> None:
        """Say whose session it is; before its first question, too.

        Raises:
            UserMismatch: it is another user's already.
            SessionExpired: the session was deleted.
        """
        ...

    def delete_conversation(self, conversation_id: str) -> bool:
        """Delete a conversation and all its messages.

        Returns whether there was one.
        """
        ...

    def rate_message(self, session_id: str, message_id: str, feedback: Feedback) -> None:
        """Set the feedback of one of the session's answers.

        Raises:
            MessageNotFound: the session has no such answer.
        """
        ...

    def read_figures(
        self, first: str, last: str, assistant: str | None = None
    ) -> Sequence[DayFigures]:
        """Return the figures of days or hours, oldest first: one assistant's, or all in one sum.

        ``first`` and ``last`` are included and both name UTC days
        (``YYYY-MM-DD``) or both hours (``YYYY-MM-DDTHH``); hours are kept for
        a week. A period without figures is left out. Turns and visits are
        counted in the writes that begin and finish them, for the assistant of
        their conversation.
        """
        ...

    def add_figures(self, counts: Counts, assistant: str = DEFAULT_ASSISTANT) -> None:
        """Add to an assistant's figures of today what no turn counts.

        After an error it may have been added, or not.
        """
        ...

    def backfill_figures(self) -> int:
        """Count a batch of conversations that are older than the figures.

        Their counts go to the days on which things were said. Returns how
        many conversations were looked at; 0 means that none is left.
        """
        ...

    def read_state(self) -> StoreState:
        """Return what every turn depends on, as one read.

        The names of the switches that are thrown, see ``app/operations/switches.py``, and
        the version of each assistant's documents.
        """
        ...

    def set_switch(self, name: str, *, thrown: bool) -> None:
        """Throw a switch, or put it back."""
        ...

    def revoke(self, token_id: str) -> bool:
        """Remember that a signed token of ours is used up, for ``REVOCATION_MEMORY_DAYS``.

        Returns whether this was the first time, by anybody.
        """
        ...

    def is_revoked(self, token_id: str) -> bool:
        """Tell whether a token was used up, on whatever machine."""
        ...

    def begin_job(self, name: str, holder: str, *, lease_s: float, every_s: float) -> bool:
        """Take the lease of a job that one process of many does, or prolong one's own.

        False while another holder's lease runs, and where the job was done
        less than ``every_s`` ago. Times are the store's.
        """
        ...

    def end_job(self, name: str, holder: str) -> None:
        """Note that a job is done now; nothing where the lease is another's."""
        ...

    def purge(self, *, unused_days: int) -> PurgedBatch:
        """Delete a batch of conversations unused for so long, the longest unused first.

        One whose turn is running stays. A batch is small, so that turns wait
        for none; of a long conversation it may delete the oldest messages only.
        """
        ...

    def ping(self) -> None:
        """Return when the store can serve.

        Raises:
            StorageUnavailable: its text tells the operator what is wrong.
        """
        ...

    def close(self) -> None:
        """Give back connections and threads; calls after it may fail."""
        ...


MAX_THREAD_MESSAGES = 5000
SESSION_MEMORY_DAYS = 45
# A day longer than any sign-in at the dashboard can last.
REVOCATION_MEMORY_DAYS = 2
