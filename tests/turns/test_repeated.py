"""A turn that was complete before it was asked for again."""

import pytest

from app.domain.conversation import Answer, Message, Turn
from app.domain.errors import ModelInterrupted, ModelTimeout, ServiceError
from app.domain.events import TokensReceived, TurnDone, TurnFailed, TurnStarted
from app.storage.protocol import ConversationStore
from app.turns.repeated import HeldTurn, RepeatedTurn, read_turn
from tests.data import a_question

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


@pytest.mark.parametrize(
    ("answer", "said", "error"),
    [
        (Answer("", "error", error_code="model_timeout"), "", ModelTimeout),
        (Answer("Half", "partial", error_code="model_interrupted"), "Half", ModelInterrupted),
        (Answer("", "partial", finish_reason="left"), "", ModelInterrupted),
        (Answer("", "error", error_code="of_a_later_version"), "", ServiceError),
    ],
)
def test_stored_failure_is_told_again(
    store: ConversationStore, answer: Answer, said: str, error: type[ServiceError]
) -> None:
    turn = store.begin_turn(a_question(), history_limit=30, lease_s=60)
    store.finish_turn(turn, answer)
    stored = read_turn(store, turn.session_id, turn.id)
    assert not stored.is_running

    started, *tokens, last = RepeatedTurn(stored.turn, failure=stored.failure).events()

    assert started == TurnStarted(turn.conversation_id, turn.id)
    assert tokens == ([TokensReceived([said])] if said else [])
    assert isinstance(last, TurnFailed)
    assert type(last.error) is error


@pytest.mark.parametrize("reason", ["left", "stopped"])
def test_stored_answer_that_was_cut_short_is_told_with_its_reason(
    store: ConversationStore, reason: str
) -> None:
    turn = store.begin_turn(a_question(), history_limit=30, lease_s=60)
    store.finish_turn(turn, Answer("Half", "partial", finish_reason=reason))
    stored = read_turn(store, turn.session_id, turn.id)

    done = RepeatedTurn(stored.turn, failure=stored.failure).end()

    assert isinstance(done, TurnDone)
    assert (done.message, done.finish_reason) == ("Half", reason)


def test_where_a_person_is_to_answer_the_visitor_is_told_so_in_a_whole_answer() -> None:
    turn = Turn("turn-0001", 1, "s-1", "c-1", (), state="waiting")

    held = HeldTurn(turn, "A person will answer here.", "request-1")

    assert list(held.events()) == [
        TurnStarted("c-1", "turn-0001"),
        TokensReceived(["A person will answer here."]),
        TurnDone("A person will answer here.", "c-1", "turn-0001", None, "", None, None, "person"),
    ]
    assert (held.summary().outcome, held.summary().answer) == ("person", None)
