"""One turn that runs: who reads it, and what is stored of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import gevent

from app.domain.conversation import Message, Turn
from app.domain.errors import ServiceError
from app.domain.events import TokensReceived, TurnDone, TurnEvent, TurnFailed
from app.storage.protocol import ConversationStore
from app.turns.turn import RunningTurn
from tests.data import a_question

Run = Callable[..., RunningTurn]


def begin(store: ConversationStore, **fields: object) -> Turn:
    return store.begin_turn(a_question(**fields), history_limit=30, lease_s=60)


def stored(store: ConversationStore, turn: Turn) -> list[Message]:
    return list(store.read_thread(turn.conversation_id).messages)


def the_answer(store: ConversationStore, turn: Turn) -> tuple[str, str | None, str | None]:
    """The text, status and finish reason of the one answer that is stored."""
    [answer] = [message for message in stored(store, turn) if message.role == "assistant"]
    return answer.content, answer.status, answer.finish_reason


def the_error(events: Sequence[TurnEvent]) -> type[ServiceError]:
    last = events[-1]
    assert isinstance(last, TurnFailed)
    return type(last.error)


class Reader:
    """Reads a turn's events in a greenlet of its own."""

    def __init__(self, running: RunningTurn) -> None:
        self.events: list[TurnEvent] = []
        self.greenlet = gevent.spawn(self._read, running)

    def _read(self, running: RunningTurn) -> None:
        for event in running.events():
            self.events.append(event)

    def to_end(self) -> list[TurnEvent]:
        self.greenlet.join(20)
        assert self.greenlet.dead, f"the turn goes on after {self.events}"
        self.greenlet.get()
        return self.events


def nameless(event: TurnEvent) -> TurnEvent:
    """An event without the answer's id, which is the store's business."""
    return replace(event, message_id=None) if isinstance(event, TurnDone) else event


def said(events: Sequence[TurnEvent]) -> str:
    return "".join(
        token for event in events if isinstance(event, TokensReceived) for token in event.tokens
    )


class FakeOutlet:
    """An outlet that takes whole sends; every so often one waits for a flush."""

    def __init__(self, full_at: int = 1000) -> None:
        self.sent: list[str] = []
        self.beats = 0
        self._full_at = full_at
        self._rest: list[str] = []

    def send(self, tokens: Sequence[str]) -> bool:
        self._full_at -= 1
        if self._full_at == 0:
            self._rest = list(tokens)
            return False
        self.sent.extend(tokens)
        return True

    def beat(self) -> None:
        self.beats += 1

    def flush(self) -> None:
        self.sent.extend(self._rest)
        self._rest = []
