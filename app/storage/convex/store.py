"""The store of a deployment: each method is one call, but for very long threads."""

import secrets
from collections import deque
from collections.abc import Sequence

from app.domain.conversation import (
    DEFAULT_ASSISTANT,
    Answer,
    Conversation,
    ConversationFilter,
    ConversationPage,
    Feedback,
    Finished,
    Mark,
    MarkedTurn,
    Message,
    PurgedBatch,
    Question,
    Thread,
    Turn,
)
from app.domain.errors import (
    AssistantMismatch,
    ConversationNotFound,
    MessageNotFound,
    SessionExpired,
    StorageUnavailable,
    TurnInProgress,
    TurnMismatch,
    TurnNotLast,
    UserMismatch,
)
from app.domain.figures import Counts, DayFigures, turn_counts
from app.domain.json_objects import from_object, present, to_object
from app.domain.knowledge import StoreState
from app.http_client.proxies import NO_PROXIES, Proxies
from app.storage.convex import trouble
from app.storage.convex.api import ConvexApi
from app.storage.convex.document_store import ConvexDocuments
from app.storage.convex.documents import (
    Document,
    from_answer,
    from_assistant,
    from_filter,
    from_question,
    to_day_figures,
    to_prompt,
    to_thread,
)
from app.storage.convex.people_store import ConvexPeople
from app.storage.convex.trouble import ConvexTrouble
from app.storage.document_store import DocumentStore
from app.storage.people_store import PeopleStore
from app.storage.protocol import EVERYTHING, MAX_THREAD_MESSAGES

# convex/functions/model/version.ts says the same.
FUNCTIONS_VERSION = 6

# What one call reads of a thread that is wanted whole.
_CALL_MESSAGES = 1000


class ConvexStore:
    """Conversations in the Convex deployment at ``url``.

    Make it after the fork. No call waits longer than ``timeout_s``. With ``notes_starts``
    there is a notice of each conversation that begins.
    """

    def __init__(
        self,
        url: str,
        deploy_key: str,
        *,
        timeout_s: float = 10.0,
        connect_timeout_s: float = 3.0,
        proxies: Proxies = NO_PROXIES,
        notes_starts: bool = False,
    ) -> None:
        self._api = ConvexApi(
            url,
            deploy_key,
            timeout_s=timeout_s,
            connect_timeout_s=connect_timeout_s,
            proxies=proxies,
        )
        self.documents: DocumentStore = ConvexDocuments(self._api)
        self._notes_starts = notes_starts
        self.people: PeopleStore = ConvexPeople(self._api, notes_starts=notes_starts)

    def begin_turn(self, question: Question, *, history_limit: int, lease_s: float) -> Turn:
        """Store a question and take the session's lease."""
        begun = self._api.mutation(
            "turns:begin",
            {
                "question": from_question(question),
                "historyLimit": history_limit,
                "leaseMs": round(lease_s * 1000),
                # By this name the function knows a repetition of this call.
                "holder": secrets.token_hex(8),
                "notesStarts": self._notes_starts,
            },
        ).value
        _refuse(begun)
        if begun["outcome"] == "people":
            conversation_id, state = begun["conversationId"], begun["state"]
            session_id = question.session_id
            return Turn(question.turn_id, 0, session_id, conversation_id, (), state=state)
        answer = begun.get("answer")
        return Turn(
            id=question.turn_id,
            attempt=int(begun["attempt"]),
            session_id=question.session_id,
            conversation_id=begun["conversationId"],
            prompt=to_prompt(begun["prompt"]),
            answer=answer and from_object(Message, answer),
            # Functions of before version 5 tell none.
            cited=begun.get("cited", []),
        )

    def finish_turn(self, turn: Turn, answer: Answer) -> Finished | None:
        """Store how a turn ended and give its lease back."""
        args = {
            "conversationId": turn.conversation_id,
            "turnId": turn.id,
            "attempt": turn.attempt,
            "answer": from_answer(answer),
            "counts": turn_counts(answer),
        }
        finished = self._api.mutation("turns:finish", args).value
        return None if finished is None else Finished(finished.get("messageId"))

    def list_conversations(
        self,
        *,
        limit: int,
        cursor: str | None = None,
        where: ConversationFilter = EVERYTHING,
    ) -> ConversationPage:
        """Return conversations, newest-updated first."""
        args = {"limit": limit, "cursor": cursor, "where": from_filter(where)}
        page = self._api.read("conversations:list", args)
        total, found = page["total"], page["found"]
        return ConversationPage(
            conversations=tuple(from_object(Conversation, each) for each in page["conversations"]),
            total=None if total is None else int(total),
            next_cursor=page["nextCursor"],
            found=None if found is None else int(found),
        )

    def list_marked_turns(
        self, mark: Mark, *, limit: int, assistant: str | None = None
    ) -> Sequence[MarkedTurn]:
        """Return the newest turn with this mark of each conversation that has one."""
        args = present(mark=mark, limit=limit, assistant=assistant)
        turns = self._api.read("conversations:marked", args)
        return tuple(from_object(MarkedTurn, each) for each in turns)

    def read_thread(
        self,
        conversation_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        newest_first: bool = False,
    ) -> Thread:
        """Return a conversation and its messages, oldest first."""
        if limit is None and cursor is None:
            return self._read_newest(conversation_id)
        size = min(limit or MAX_THREAD_MESSAGES, MAX_THREAD_MESSAGES)
        return to_thread(
            self._read_thread(conversation_id, size, cursor, newest_first=newest_first)
        )

    def read_session(
        self, session_id: str, *, limit: int, cursor: str | None = None
    ) -> Thread | None:
        """Return a session's conversation with its newest messages."""
        args = {"sessionId": session_id, "limit": limit, "cursor": cursor}
        found = self._api.read("conversations:bySession", args)
        if found == "deleted":
            raise SessionExpired
        return found and to_thread(found)

    def delete_session(self, session_id: str) -> None:
        """Delete a session for good."""
        self._api.mutation("sessions:remove", {"sessionId": session_id})

    def is_session_deleted(self, session_id: str) -> bool:
        """Tell whether a session was deleted."""
        return bool(self._api.read("sessions:deleted", {"sessionId": session_id}))

    def set_user(self, session_id: str, user: str) -> None:
        """Say whose session it is."""
        args = {"sessionId": session_id, "user": user}
        match self._api.mutation("sessions:identify", args).value:
            case "deleted":
                raise SessionExpired
            case "mismatch":
                raise UserMismatch

    def delete_conversation(self, conversation_id: str) -> bool:
        """Delete a conversation and all its messages."""
        removed = self._api.mutation("conversations:remove", {"conversationId": conversation_id})
        # Gone already when asked again: by the first try, whose answer was lost.
        return bool(removed.value) or removed.repeated

    def rate_message(self, session_id: str, message_id: str, feedback: Feedback) -> None:
        """Set the feedback of one of the session's answers."""
        args = {
            "sessionId": session_id,
            "messageId": message_id,
            "feedback": to_object(feedback),
        }
        if not self._api.mutation("messages:rate", args).value:
            raise MessageNotFound

    def read_figures(
        self, first: str, last: str, assistant: str | None = None
    ) -> Sequence[DayFigures]:
        """Return the figures of days or hours, oldest first."""
        periods: list[Document] = []
        begin: str | None = first
        while begin is not None:
            args = present(first=begin, last=last, assistant=assistant)
            found = self._api.read("figures:read", args)
            periods += found
            begin = found[-1].get("next") if found else None
        return tuple(map(to_day_figures, periods))

    def add_figures(self, counts: Counts, assistant: str = DEFAULT_ASSISTANT) -> None:
        """Add to an assistant's figures of today what no turn counts."""
        args = present(counts=dict(counts), assistant=from_assistant(assistant))
        self._api.mutation("figures:add", args)

    def backfill_figures(self) -> int:
        """Count a batch of conversations that are older than the figures."""
        return int(self._api.mutation("figures:backfill", {}).value)

    def read_state(self) -> StoreState:
        """Return what every turn depends on, as one read."""
        try:
            state = self._api.read("switches:state", {})
        except trouble.FunctionFailed:
            # Functions of before version 5, which know no documents.
            return StoreState(frozenset(self._api.read("switches:read", {})))
        versions = {each["assistant"]: int(each["version"]) for each in state["knowledge"]}
        return StoreState(frozenset(state["switches"]), versions)

    def set_switch(self, name: str, *, thrown: bool) -> None:
        """Throw a switch, or put it back."""
        self._api.mutation("switches:set", {"name": name, "thrown": thrown})

    def revoke(self, token_id: str) -> bool:
        """Remember that a token is used up."""
        revoked = self._api.mutation("revocations:add", {"tokenId": token_id})
        # Known already when asked again: by the first try, whose answer was lost.
        return bool(revoked.value) or revoked.repeated

    def is_revoked(self, token_id: str) -> bool:
        """Tell whether a token was used up."""
        return bool(self._api.read("revocations:has", {"tokenId": token_id}))

    def begin_job(self, name: str, holder: str, *, lease_s: float, every_s: float) -> bool:
        """Take the lease of a job, or prolong it."""
        args = {
            "name": name,
            "holder": holder,
            "leaseMs": round(lease_s * 1000),
            "everyMs": round(every_s * 1000),
        }
        return bool(self._api.mutation("jobs:begin", args).value)

    def end_job(self, name: str, holder: str) -> None:
        """Note that a job is done."""
        self._api.mutation("jobs:end", {"name": name, "holder": holder})

    def purge(self, *, unused_days: int) -> PurgedBatch:
        """Delete a batch of conversations unused for so long."""
        purged = self._api.mutation("maintenance:purge", {"unusedDays": unused_days}).value
        return PurgedBatch(int(purged["conversations"]), purged["hasMore"])

    def ping(self) -> None:
        """Return when the functions that this server needs answer."""
        try:
            self._check_version()
        except ConvexTrouble as found:
            raise StorageUnavailable(found.reason) from found

    def close(self) -> None:
        """Give back connections."""
        self._api.close()

    def _check_version(self) -> None:
        try:
            version = int(self._api.query("system:version", {}))
        except trouble.FunctionFailed:
            raise trouble.not_deployed(FUNCTIONS_VERSION) from None
        # Newer functions serve older servers: they are deployed first.
        if version < FUNCTIONS_VERSION:
            raise trouble.outdated(version, FUNCTIONS_VERSION)

    def _read_newest(self, conversation_id: str) -> Thread:
        messages: deque[Message] = deque()
        cursor = None
        while True:
            size = min(_CALL_MESSAGES, MAX_THREAD_MESSAGES - len(messages))
            page = to_thread(self._read_thread(conversation_id, size, cursor, newest_first=True))
            messages.extendleft(reversed(page.messages))
            cursor = page.next_cursor
            if cursor is None or len(messages) >= MAX_THREAD_MESSAGES:
                return Thread(page.conversation, tuple(messages))

    def _read_thread(
        self, conversation_id: str, limit: int, cursor: str | None, *, newest_first: bool
    ) -> Document:
        args = {
            "conversationId": conversation_id,
            "newestFirst": newest_first,
            "limit": limit,
            "cursor": cursor,
        }
        found: Document | None = self._api.read("conversations:thread", args)
        if found is None:
            raise ConversationNotFound
        return found


def _refuse(begun: Document) -> None:
    """Raise what keeps a turn from beginning, if anything."""
    match begun["outcome"]:
        case "busy":
            raise TurnInProgress(
                retry_after_s=begun["retryAfterMs"] / 1000, turn_id=begun["turnId"]
            )
        case "mismatch":
            raise TurnMismatch
        case "notLast":
            raise TurnNotLast
        case "otherAssistant":
            raise AssistantMismatch
        case "deleted":
            raise SessionExpired
