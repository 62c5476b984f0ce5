"""Where people answer: asking for a person, taking over, answering, giving back.

Each step is stored first; then a running answer is stopped, and whoever waits is told.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from app.domain.conversation import Answer, Conversation, Message, Page, Question
from app.domain.errors import (
    ConversationNotFound,
    InvalidRequest,
    NotConfigured,
    StorageUnavailable,
)
from app.domain.people import (
    MAX_NAME_CHARS,
    MAX_REPLY_CHARS,
    ByOperator,
    ByVisitor,
    Contact,
    ConversationState,
    HandedOver,
)
from app.settings import AssistantSettings, Settings
from app.storage.protocol import ConversationStore

_LEASE_S = 30.0
_MAX_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Handoff:
    """What a visitor who asked for a person is told.

    ``is_open`` tells whether somebody is there by the owner's hours; where nobody is,
    ``back_at`` is when, in ms since the Unix epoch, if that is known.
    """

    state: ConversationState
    is_open: bool = True
    back_at: int | None = None


class People:
    """Changes who answers a conversation.

    ``stop`` ends a session's running turn, whichever process runs it; ``tell`` wakes whoever
    waits for news of a session, and ``wake`` who sends notices.
    """

    def __init__(
        self,
        settings: Settings,
        store: ConversationStore,
        *,
        stop: Callable[[str], object],
        tell: Callable[[str], object],
        wake: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._assistants = {each.id: each for each in settings.assistants}
        self._store = store
        self._stop = stop
        self._tell_waiters = tell
        self._wake = wake
        self._clock = clock
        # Which event each visitor is known to have fetched.
        self._fetched: OrderedDict[str, int] = OrderedDict()

    def ask(
        self,
        assistant: AssistantSettings,
        session_id: str,
        *,
        text: str | None = None,
        turn_id: str | None = None,
        page: Page | None = None,
    ) -> Handoff:
        """Ask for a person, for a visitor; ``text`` is the visitor's message to them.

        Asked again, it is the same handoff. With a ``turn_id``, so is the message.

        Raises:
            NotConfigured: nobody would hear of it.
            AssistantMismatch, SessionExpired, StorageUnavailable: see the store.
            TurnMismatch: the ``turn_id`` is another message's.
            TurnInProgress: given back meanwhile, and asked again: nothing was left.
        """
        self._refuse_where_off(assistant)
        visitor = ByVisitor(session_id, assistant.id, page.url if page else None)
        handed = self._store.people.hand_over(visitor, "ask")
        self._tell_waiters(session_id)
        try:
            if text is not None:
                turn_id = turn_id or f"ask-{secrets.token_hex(8)}"
                self._leave_message(
                    Question(session_id, turn_id, text, page=page, assistant=assistant.id)
                )
        finally:
            # Not before: the owner is told of the wish and the words at once.
            self._wake()
        return self.outlook(assistant, handed.state)

    def outlook(self, assistant: AssistantSettings, state: ConversationState) -> Handoff:
        """Return a state as a visitor is told it."""
        hours = assistant.people.hours
        now = round(self._clock() * 1000)
        if hours is None or hours.is_open(now):
            return Handoff(state)
        return Handoff(state, is_open=False, back_at=hours.next_open(now))

    def go_back(self, assistant: AssistantSettings, session_id: str) -> ConversationState:
        """Give a conversation back to the assistant, for a visitor; it may be there already."""
        by = ByVisitor(session_id, assistant.id)
        try:
            handed = self._store.people.hand_over(by, "release")
        except ConversationNotFound:
            return "bot"
        self._tell(session_id)
        return handed.state

    def leave_contact(
        self, assistant: AssistantSettings, session_id: str, contact: Contact
    ) -> None:
        """Keep where a visitor may be answered.

        Raises:
            NotConfigured: nobody would answer.
            AssistantMismatch, SessionExpired, StorageUnavailable: see the store.
        """
        self._refuse_where_off(assistant)
        self._store.people.set_contact(session_id, contact, assistant=assistant.id)
        self._tell(session_id)

    def take(self, conversation_id: str, name: str | None = None) -> HandedOver:
        """Take a conversation over, for an operator; a running answer ends.

        Without a ``name``, visitors are shown the assistant's.

        Raises:
            ConversationNotFound, StorageUnavailable: see the store.
            InvalidRequest: no such name can be shown.
            NotConfigured: no person answers for this assistant.
        """
        _, operator = self._operator(conversation_id, name)
        handed = self._store.people.hand_over(operator, "take")
        self._stop(handed.session_id)
        self._tell(handed.session_id)
        return handed

    def say(
        self, conversation_id: str, text: str, *, name: str | None = None, key: str | None = None
    ) -> Message:
        """Store an operator's words and show them; the first of them take over.

        Said again with the same ``key``, they are the same message.

        Raises:
            InvalidRequest: there are no words, or too many; or see ``take``.
            ConversationNotFound, NotConfigured, StorageUnavailable: see ``take``.
        """
        text = text.strip()
        if not text:
            raise InvalidRequest("The reply has no words", details={"text": ["Must not be blank."]})
        if len(text) > MAX_REPLY_CHARS:
            rule = f"Longer than maximum length {MAX_REPLY_CHARS}."
            raise InvalidRequest("The reply is too long", details={"text": [rule]})
        conversation, operator = self._operator(conversation_id, name)
        said = self._store.people.say(operator, text, key=key or secrets.token_hex(16))
        # A read of before: the assistant may have been asked meanwhile.
        self._stop(conversation.session_id)
        self._tell(conversation.session_id)
        return said

    def release(self, conversation_id: str, name: str | None = None) -> HandedOver:
        """Give a conversation back to the assistant, for an operator.

        Raises:
            ConversationNotFound, InvalidRequest, StorageUnavailable: see ``take``.
        """
        _, operator = self._operator(conversation_id, name, is_end=True)
        handed = self._store.people.hand_over(operator, "release")
        self._tell(handed.session_id)
        return handed

    def close(self, conversation_id: str, name: str | None = None) -> HandedOver:
        """End a conversation with a person: it leaves the inbox.

        Raises:
            ConversationNotFound, InvalidRequest, StorageUnavailable: see ``take``.
        """
        _, operator = self._operator(conversation_id, name, is_end=True)
        handed = self._store.people.hand_over(operator, "close")
        self._tell(handed.session_id)
        return handed

    def note_fetched(self, session_id: str, event: int) -> None:
        """Note that a visitor has a session's events up to one: no mail needs to tell of them."""
        if event == self._fetched.get(session_id, 0):
            return
        with suppress(StorageUnavailable):
            thread = self._store.read_session(session_id, limit=1)
            # A greater number is of a conversation that was deleted.
            if thread is not None and event <= thread.conversation.last_event:
                self.note_read(thread.conversation, event)

    def note_read(self, conversation: Conversation, event: int | None = None) -> None:
        """Note that a visitor has a conversation's events, all of them or up to one."""
        event = min(conversation.last_event if event is None else event, conversation.last_event)
        if event > conversation.seen_event:
            with suppress(StorageUnavailable):
                self._store.people.note_seen(conversation.id, by_visitor=True, event=event)
        self._fetched[conversation.session_id] = event
        if len(self._fetched) > _MAX_REMEMBERED:
            self._fetched.popitem(last=False)

    def _tell(self, session_id: str) -> None:
        self._tell_waiters(session_id)
        self._wake()

    def _leave_message(self, question: Question) -> None:
        turn = self._store.begin_turn(question, history_limit=1, lease_s=_LEASE_S)
        if turn.state == "bot" and turn.answer is None:
            # Given back meanwhile: nobody asks a model in the visitor's name.
            self._store.finish_turn(turn, Answer("", "partial"))

    def _operator(
        self, conversation_id: str, name: str | None, *, is_end: bool = False
    ) -> tuple[Conversation, ByOperator]:
        conversation = self._store.read_thread(conversation_id, limit=1).conversation
        assistant = self._assistants.get(conversation.assistant, self._settings.assistant)
        if not is_end:
            self._refuse_where_off(assistant)
        shown = (name or "").strip() or assistant.people.operator_name
        if len(shown) > MAX_NAME_CHARS or not shown.isprintable():
            rule = f"At most {MAX_NAME_CHARS} printable characters."
            raise InvalidRequest("The name cannot be shown", details={"name": [rule]})
        return conversation, ByOperator(conversation_id, shown)

    def _refuse_where_off(self, assistant: AssistantSettings) -> None:
        if not self._settings.can_ask(assistant):
            raise NotConfigured("No person answers on this deployment")
