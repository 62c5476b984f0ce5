"""What the targets know of a notice: the rows that it names, as they are when it is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.conversation import DEFAULT_ASSISTANT, Conversation, Message
from app.domain.errors import ConversationNotFound
from app.domain.people import Notice
from app.settings import AssistantSettings
from app.storage.protocol import ConversationStore

_PAGE = 100
# A message further back was said before much else: the notice goes without it.
_MAX_PAGES = 10


@dataclass(frozen=True, slots=True)
class Facts:
    """A notice, its assistant, its conversation and message.

    ``newest`` are the conversation's last messages, oldest first.
    """

    notice: Notice
    assistant: AssistantSettings
    conversation: Conversation | None = None
    message: Message | None = None
    newest: Sequence[Message] = ()

    @property
    def unread(self) -> Sequence[Message]:
        """What the visitor said since an operator looked, as far as ``newest`` goes back."""
        count = self.conversation.unread if self.conversation else 0
        said = [each for each in self.newest if each.role == "user"]
        return said[-count:] if count else []


def read_facts(
    store: ConversationStore, assistants: Mapping[str, AssistantSettings], notice: Notice
) -> Facts | None:
    """Read what a notice tells of; ``None`` where its conversation was deleted.

    An assistant that is gone is spoken for by the default one.

    Raises:
        StorageUnavailable: later.
    """
    assistant = assistants.get(notice.assistant) or assistants[DEFAULT_ASSISTANT]
    if notice.conversation_id is None:
        return Facts(notice, assistant)
    try:
        thread = store.read_thread(notice.conversation_id, limit=_PAGE, newest_first=True)
        newest, message = thread.messages, _find(thread.messages, notice.message_id)
        for _ in range(_MAX_PAGES):
            if message or notice.message_id is None or thread.next_cursor is None:
                break
            thread = store.read_thread(
                notice.conversation_id, limit=_PAGE, cursor=thread.next_cursor, newest_first=True
            )
            message = _find(thread.messages, notice.message_id)
    except ConversationNotFound:
        return None
    return Facts(notice, assistant, thread.conversation, message, newest)


def _find(messages: Sequence[Message], message_id: str | None) -> Message | None:
    return next((each for each in messages if each.id == message_id), None)
