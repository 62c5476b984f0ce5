"""A turn that is over: told again from the store, and nothing runs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.domain.conversation import Message, Turn
from app.domain.errors import ModelInterrupted, ServiceError, TurnNotFound, failure_named
from app.domain.events import (
    SourcesFound,
    TokensReceived,
    TurnDone,
    TurnEnded,
    TurnEvent,
    TurnFailed,
    TurnStarted,
)
from app.storage.protocol import ConversationStore
from app.turns.settlement import done
from app.turns.transcript import Outlet

# Of a session, so many of the newest messages are looked through for a turn.
_MESSAGES = 50


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """What the store knows of a turn; ``failure`` is why it has no whole answer.

    Where ``is_held``, a person is to answer it.
    """

    turn: Turn
    is_running: bool
    failure: ServiceError | None
    is_held: bool = False


def read_turn(store: ConversationStore, session_id: str, turn_id: str) -> StoredTurn:
    """Return one of a session's last turns.

    Raises:
        TurnNotFound: it is none of these.
        SessionExpired, StorageUnavailable: see the store.
    """
    thread = store.read_session(session_id, limit=_MESSAGES)
    said = [each for each in thread.messages if each.turn_id == turn_id] if thread else []
    if thread is None or not said:
        raise TurnNotFound
    last = said[-1]  # the question where there is no answer
    answer = last if last.role == "assistant" else None
    told = thread.conversation
    failure, is_running = None, thread.running_turn_id == turn_id
    if last.error_code is not None:
        failure = failure_named(last.error_code)
    elif answer is None:
        failure = ModelInterrupted()
    turn = Turn(turn_id, 0, session_id, told.id, (), answer, state=told.state)
    is_open = answer is None and last.error_code is None and not is_running
    is_held = is_open and told.state != "bot"
    return StoredTurn(turn, is_running, failure, is_held)


class RepeatedTurn:
    """Tells a stored answer again."""

    __slots__ = ("_protocol", "failure", "request_id", "turn")

    def __init__(
        self,
        turn: Turn,
        request_id: str | None = None,
        failure: ServiceError | None = None,
        protocol: str = "",
    ) -> None:
        self.turn = turn
        self.request_id = request_id
        self.failure = failure
        self._protocol = protocol

    def events(self) -> Iterator[TurnEvent]:
        """Yield the events of a turn whose answer came at once."""
        yield TurnStarted(self.turn.conversation_id, self.turn.id)
        answer = self.turn.answer
        if answer is not None:
            if answer.sources is not None:
                yield SourcesFound(answer.sources)
            yield TokensReceived([answer.content])
        yield self.end()

    def end(self) -> TurnDone | TurnFailed:
        """Return the terminal event."""
        answer = self.turn.answer
        if self.failure is not None or answer is None:
            return TurnFailed(self.failure or ModelInterrupted())
        return done(self.turn, answer, answer.id)

    def leave(self, outlet: Outlet | None = None) -> None:
        """Do nothing: it is over."""

    def summary(self) -> TurnEnded:
        """Return what there is to tell of it."""
        return TurnEnded(
            self.turn,
            None,
            "done",
            None,
            0,
            0.0,
            self.request_id,
            is_repeat=True,
            protocol=self._protocol,
        )


class HeldTurn(RepeatedTurn):
    """Tells a visitor that a person is to answer: a whole answer, which is not stored.

    Clients of every protocol know how an answer ends; one without a word is an error to some.
    """

    __slots__ = ()

    def __init__(
        self, turn: Turn, text: str, request_id: str | None = None, protocol: str = ""
    ) -> None:
        answer = Message("assistant", text, status="complete", answered_by="person")
        super().__init__(replace(turn, answer=answer), request_id, protocol=protocol)

    def summary(self) -> TurnEnded:
        """Return what there is to tell of it."""
        return replace(super().summary(), outcome="person", is_repeat=False)
