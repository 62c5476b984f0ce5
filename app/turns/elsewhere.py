"""A turn that another process runs: told by it on this machine, and by the store at last."""

import time
from collections.abc import Callable, Iterator

import gevent

from app.bus.protocol import Relayed
from app.domain.errors import ModelInterrupted, ServiceError
from app.domain.events import (
    Heartbeat,
    SourcesFound,
    TokensReceived,
    TurnEvent,
    TurnFailed,
    TurnStarted,
)
from app.turns.repeated import RepeatedTurn, StoredTurn

_LOOK_S = 1.0


class TurnElsewhere:
    """Tells a turn that runs, but not in this process.

    ``find`` looks for the process among those that can be asked, ``look`` at the
    store; neither is done for longer than ``patience_s``, the turn's lease.
    """

    __slots__ = ("_find", "_look", "_patience_s", "_relayed", "_stored")

    def __init__(
        self,
        stored: StoredTurn,
        find: Callable[[], Relayed | None],
        look: Callable[[], StoredTurn],
        patience_s: float,
    ) -> None:
        self._stored = stored
        self._find = find
        self._look = look
        self._patience_s = patience_s
        self._relayed: Relayed | None = None

    def events(self) -> Iterator[TurnEvent]:
        """Yield what happens, from the beginning to the one terminal event."""
        turn = self._stored.turn
        yield TurnStarted(turn.conversation_id, turn.id)
        give_up_at = time.monotonic() + self._patience_s
        is_told = False
        while self._stored.is_running and time.monotonic() < give_up_at:
            if not is_told and (relayed := self._find()):
                yield from self._relay(relayed)
                is_told = True
                if not relayed.is_whole:
                    yield TurnFailed(ModelInterrupted())
                    return
            try:
                self._stored = self._look()
            except ServiceError as error:
                yield TurnFailed(error)
                return
            if self._stored.is_running:
                yield Heartbeat()
                gevent.sleep(_LOOK_S)
        yield from self._end(is_told=is_told)

    def leave(self) -> None:
        """Let the other process know that nobody reads here; may be called from the hub."""
        if self._relayed is not None:
            self._relayed.leave()

    def _relay(self, relayed: Relayed) -> Iterator[TurnEvent]:
        self._relayed = relayed
        with relayed:
            yield from relayed

    def _end(self, *, is_told: bool) -> Iterator[TurnEvent]:
        stored = self._stored
        if stored.is_running:
            yield TurnFailed(ModelInterrupted())
            return
        answer = stored.turn.answer
        if answer is not None and not is_told:
            if answer.sources is not None:
                yield SourcesFound(answer.sources)
            yield TokensReceived([answer.content])
        yield RepeatedTurn(stored.turn, failure=stored.failure).end()
