"""What an operator does with whole conversations: take copies, and delete.

Everything goes page by page, so that neither memory nor a transaction grows
with what is stored.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from gevent.pool import Pool

from app.domain.conversation import Conversation, ConversationFilter, Message
from app.domain.errors import ConversationNotFound, SessionExpired
from app.storage.protocol import EVERYTHING, ConversationStore

_PAGE_CONVERSATIONS = 200
_PAGE_MESSAGES = 200
# Threads read at once. With what waits to be taken they bound the memory.
_READERS = 3


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some messages of a conversation, oldest first."""

    conversation: Conversation
    messages: Sequence[Message]


class Transcripts:
    """All conversations of a store, as a whole.

    ``end`` is told each session whose conversation was deleted: its running
    turn would go on, and cost, for nobody, and its visitor wait for somebody.
    """

    def __init__(
        self, store: ConversationStore, end: Callable[[str], object] = lambda _session_id: None
    ) -> None:
        self._store = store
        self._end = end

    def find(self, where: ConversationFilter = EVERYTHING) -> Iterator[Conversation]:
        """Yield conversations, newest-updated first."""
        cursor = None
        while True:
            page = self._store.list_conversations(
                limit=_PAGE_CONVERSATIONS, cursor=cursor, where=where
            )
            yield from page.conversations
            cursor = page.next_cursor
            if cursor is None:
                return

    def export(self, where: ConversationFilter, *, now_ms: int) -> Iterator[Excerpt]:
        """Yield everything that was said, a conversation after the other.

        What goes on while this runs comes last, perhaps for a second time:
        an update moves a conversation to the front of the list, out of a
        reader's way.
        """
        yield from self._read(self.find(where))
        since = max(now_ms, where.since or 0)
        if where.until is None or since < where.until:
            yield from self._read(self.find(replace(where, since=since)))

    def export_one(self, conversation_id: str) -> Iterator[Excerpt]:
        """Yield everything of one conversation.

        Raises:
            ConversationNotFound: there is none.
        """
        thread = self._store.read_thread(conversation_id, limit=_PAGE_MESSAGES)
        yield Excerpt(thread.conversation, thread.messages)
        yield from self._read_rest(thread.conversation, thread.next_cursor)

    def delete(self, conversation_id: str) -> None:
        """Delete a conversation.

        Raises:
            ConversationNotFound: there is none.
        """
        found = self._store.read_thread(conversation_id, limit=1)
        if not self._delete(found.conversation):
            raise ConversationNotFound

    def delete_all(self, where: ConversationFilter) -> Iterator[Conversation]:
        """Delete what the filter finds, and yield each after its deletion."""
        for conversation in self.find(where):
            if self._delete(conversation):
                yield conversation

    def delete_session(self, session_id: str) -> int:
        """Delete all that a session said; returns how many conversations that were."""
        deleted = 0
        # The original may have stored a session twice.
        with suppress(SessionExpired):
            while (thread := self._store.read_session(session_id, limit=1)) is not None:
                deleted += self._delete(thread.conversation)
        return deleted

    def _delete(self, conversation: Conversation) -> bool:
        is_deleted = self._store.delete_conversation(conversation.id)
        if is_deleted:
            self._end(conversation.session_id)
        return is_deleted

    def _read(self, conversations: Iterator[Conversation]) -> Iterator[Excerpt]:
        pool = Pool(_READERS)
        try:
            for first, cursor in pool.imap(self._read_first, conversations, maxsize=_READERS):
                yield first
                yield from self._read_rest(first.conversation, cursor)
        finally:
            pool.kill()

    def _read_first(self, conversation: Conversation) -> tuple[Excerpt, str | None]:
        try:
            thread = self._store.read_thread(conversation.id, limit=_PAGE_MESSAGES)
        except ConversationNotFound:  # deleted meanwhile
            return Excerpt(conversation, ()), None
        return Excerpt(thread.conversation, thread.messages), thread.next_cursor

    def _read_rest(self, conversation: Conversation, cursor: str | None) -> Iterator[Excerpt]:
        while cursor is not None:
            try:
                thread = self._store.read_thread(
                    conversation.id, limit=_PAGE_MESSAGES, cursor=cursor
                )
            except ConversationNotFound:
                return
            yield Excerpt(thread.conversation, thread.messages)
            cursor = thread.next_cursor
