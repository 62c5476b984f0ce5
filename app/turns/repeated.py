"""A turn that was complete before it was asked for again."""

from collections.abc import Iterator

from app.domain.conversation import Turn
from app.domain.events import TokensReceived, TurnEnded, TurnEvent, TurnStarted
from app.turns.settlement import done
from app.turns.transcript import Outlet


class RepeatedTurn:
    """Tells a stored answer again: nothing runs."""

    __slots__ = ("request_id", "turn")

    failure = None

    def __init__(self, turn: Turn, request_id: str | None = None) -> None:
        self.turn = turn
        self.request_id = request_id

    def events(self) -> Iterator[TurnEvent]:
        """Yield the events of a turn whose answer came at once."""
        turn, answer = self.turn, self.turn.answer
        yield TurnStarted(turn.conversation_id, turn.id)
        if answer is not None:
            yield TokensReceived([answer.content])
            yield done(turn, answer, answer.id)

    def leave(self, outlet: Outlet | None = None) -> None:
        """Do nothing: it is over."""

    def summary(self) -> TurnEnded:
        """Return what there is to tell of it."""
        return TurnEnded(self.turn, None, "done", None, 0, 0.0, self.request_id, is_repeat=True)
