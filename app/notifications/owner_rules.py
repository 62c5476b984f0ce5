"""When an owner is told by mail or chat: once an unread stretch, two minutes apart."""

from collections.abc import Callable

from app.domain.conversation import Conversation
from app.notifications.facts import Facts
from app.notifications.owner_texts import OWNERS
from app.notifications.spacing import Spacing
from app.storage.protocol import ConversationStore

_APART_MS = 120_000


class OwnerRules:
    """Decides for one target, ``email`` or ``chat``. ``clock`` is in ms since the Unix epoch."""

    def __init__(self, store: ConversationStore, target: str, clock: Callable[[], int]) -> None:
        self._spacing = Spacing(store, target, _APART_MS, clock)

    def is_for(self, facts: Facts) -> bool:
        """Tell whether an owner wants to hear of it; of messages, the visitor's."""
        is_message = facts.notice.type == "message.created"
        if is_message and (facts.message is None or facts.message.role != "user"):
            return False
        return facts.notice.type in OWNERS

    def should_send(self, facts: Facts) -> bool:
        """Tell whether it is worth telling, now that its time has come.

        Raises:
            NotYet: it is, and later.
        """
        told, kind = facts.conversation, facts.notice.type
        if told is None:
            return True
        if _is_superseded(facts, told):
            return False
        if kind == "message.created":
            stretch = _stretch(facts)
            is_over = told.state == "bot" or stretch is None
            if is_over or self._spacing.was_told(told.id, str(stretch)):
                return False
        self._spacing.wait(told.id)
        return True

    def note_sent(self, facts: Facts) -> None:
        """Note that the owner was told."""
        if facts.conversation is not None:
            self._spacing.note(facts.conversation.id, _stretch(facts))


def _is_superseded(facts: Facts, told: Conversation) -> bool:
    """Tell whether a later notice says the same of now: a visitor may ask and go back all day."""
    created_at, kind = facts.notice.created_at, facts.notice.type
    if kind == "conversation.waiting":
        # Whoever has taken it over knows, and back at the assistant nobody waits.
        return told.state != "waiting" or (told.waiting_since or 0) > created_at
    if kind == "contact.created":
        return told.contact is None or told.contact.consented_at > created_at
    return False


def _stretch(facts: Facts) -> str | None:
    return facts.unread[0].id if facts.unread else None
