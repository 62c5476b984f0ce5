"""``PeopleStore`` in a Convex deployment."""

import secrets
from collections.abc import Sequence

from app.domain.conversation import (
    DEFAULT_ASSISTANT,
    Conversation,
    Message,
    SessionEvent,
    SessionEvents,
)
from app.domain.errors import AssistantMismatch, ConversationNotFound, SessionExpired
from app.domain.json_objects import from_object, present
from app.domain.people import ByOperator, ByVisitor, Contact, HandedOver, Notice, NoticeType, Step
from app.storage.convex.api import ConvexApi
from app.storage.convex.documents import Document, from_assistant, from_contact
from app.storage.people_store import MAX_EVENTS


class ConvexPeople:
    """Handovers, words and notices in the deployment of the conversations."""

    def __init__(self, api: ConvexApi, *, notes_starts: bool) -> None:
        self._api = api
        self._notes_starts = notes_starts

    def hand_over(self, by: ByVisitor | ByOperator, step: Step) -> HandedOver:
        """Change who answers."""
        args = {
            "by": _from_actor(by),
            "step": step,
            "notesStarts": self._notes_starts,
            # By this name the function knows a repetition of this call.
            "call": secrets.token_hex(8),
        }
        found = self._api.mutation("people:handOver", args).value
        _refuse(found)
        return from_object(HandedOver, {"assistant": DEFAULT_ASSISTANT, **found})

    def say(self, by: ByOperator, text: str, *, key: str) -> Message:
        """Store an operator's words."""
        args = {"conversationId": by.conversation_id, "name": by.name, "text": text, "key": key}
        said = self._api.mutation("people:say", args).value
        if said is None:
            raise ConversationNotFound
        return from_object(Message, said)

    def events_since(
        self, session_id: str, after: int, *, limit: int = MAX_EVENTS
    ) -> SessionEvents:
        """Return what operators said and did after an event, in order."""
        args = {"sessionId": session_id, "after": after, "limit": limit}
        found = self._api.read("people:events", args)
        if found == "deleted":
            raise SessionExpired
        events = [
            SessionEvent(int(each["n"]), from_object(Message, each["message"]))
            for each in found["events"]
        ]
        return SessionEvents(found["state"], tuple(events), int(found["next"]))

    def set_contact(
        self, session_id: str, contact: Contact, *, assistant: str = DEFAULT_ASSISTANT
    ) -> None:
        """Keep where the visitor may be answered."""
        args = present(
            sessionId=session_id,
            assistant=from_assistant(assistant),
            contact=from_contact(contact),
            notesStarts=self._notes_starts,
        )
        _refuse({"outcome": self._api.mutation("people:setContact", args).value})

    def list_inbox(self, *, assistant: str | None, limit: int) -> Sequence[Conversation]:
        """Return conversations that wait, then those of people."""
        args = present(assistant=assistant, limit=limit)
        return tuple(
            from_object(Conversation, each) for each in self._api.read("people:inbox", args)
        )

    def note_seen(self, conversation_id: str, *, by_visitor: bool, event: int = 0) -> None:
        """Note that an operator has read the thread, or the visitor its events so far."""
        args = {"conversationId": conversation_id, "byVisitor": by_visitor, "event": event}
        self._api.mutation("people:seen", args)

    def find_by_user(self, user: str, assistant: str) -> Conversation | None:
        """Return an identified user's conversation that was updated last."""
        found = self._api.read("people:byUser", {"user": user, "assistant": assistant})
        return None if found is None else from_object(Conversation, found)

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
        args = present(
            type=kind,
            assistant=assistant,
            conversationId=conversation_id,
            messageId=message_id,
            # Where it has no name, the call has: by it the function knows a repetition.
            key=f"call {secrets.token_hex(16)}" if key is None else f"key {key}",
        )
        self._api.mutation("notices:put", args)

    def claim_notices(self, holder: str, *, lease_s: float, limit: int) -> Sequence[Notice]:
        """Take notices that are due, oldest first."""
        args = {
            "holder": holder,
            "leaseMs": round(lease_s * 1000),
            "limit": limit,
            # By this name the function knows a repetition of this call.
            "call": secrets.token_hex(8),
        }
        claimed = self._api.mutation("notices:claim", args).value
        return tuple(from_object(Notice, each) for each in claimed)

    def settle_notice(self, holder: str, notice: Notice, *, retry_in_s: float | None) -> None:
        """Note what came of an attempt."""
        args = present(
            holder=holder,
            id=notice.id,
            pending=None if notice.pending is None else list(notice.pending),
            attempts=notice.attempts,
            problem=notice.problem,
            isGivenUp=notice.is_given_up,
            retryInMs=None if retry_in_s is None else round(retry_in_s * 1000),
        )
        self._api.mutation("notices:settle", args)

    def list_notices(self, *, limit: int) -> Sequence[Notice]:
        """Return the newest notices of the last days, newest first."""
        found = self._api.read("notices:list", {"limit": limit})
        return tuple(from_object(Notice, each) for each in found)


def _refuse(found: Document) -> None:
    match found["outcome"]:
        case "none":
            raise ConversationNotFound
        case "deleted":
            raise SessionExpired
        case "otherAssistant":
            raise AssistantMismatch


def _from_actor(by: ByVisitor | ByOperator) -> Document:
    if isinstance(by, ByOperator):
        return {"conversationId": by.conversation_id, "name": by.name}
    return present(
        sessionId=by.session_id, assistant=from_assistant(by.assistant), pageUrl=by.page_url
    )
