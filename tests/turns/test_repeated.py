"""A turn that was complete before it was asked for again."""

from app.domain.conversation import Message, Turn
from app.domain.events import TokensReceived, TurnDone, TurnStarted
from app.turns.repeated import RepeatedTurn

ANSWER = Message("assistant", "All of it", id="m-2", status="complete", finish_reason="length")
TURN = Turn("turn-0001", 1, "session-0001", "c-1", (), ANSWER)


def test_stored_answer_is_told_as_if_it_came_at_once() -> None:
    assert list(RepeatedTurn(TURN).events()) == [
        TurnStarted("c-1", "turn-0001"),
        TokensReceived(["All of it"]),
        TurnDone("All of it", "c-1", "turn-0001", "length", "m-2"),
    ]


def test_who_leaves_changes_nothing() -> None:
    repeated = RepeatedTurn(TURN, "request-1")

    repeated.leave()

    ended = repeated.summary()
    assert (ended.is_repeat, ended.outcome, ended.request_id) == (True, "done", "request-1")
