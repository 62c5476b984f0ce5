"""What is stored at the end, and what becomes of it where the store fails."""

from dataclasses import replace
from typing import Any

import pytest

from app.domain.conversation import Turn
from app.domain.errors import Conflict, ModelTimeout, ModelUnavailable, StorageUnavailable
from app.domain.events import TurnDone
from app.settings import TurnPolicy
from app.storage.protocol import ConversationStore
from app.turns.turn import RunningTurn
from tests.fakes import Gate, ScriptedModel, TroubledStore
from tests.turn_parts import a_reservation
from tests.turns.running import Reader, Run, stored, the_answer, the_error


def test_answer_is_stored_before_done(
    run: Run, troubled: TroubledStore, turn: Turn, store: ConversationStore
) -> None:
    troubled.before_finish = Gate()
    reader = Reader(run())
    troubled.before_finish.wait_reached()

    assert not any(isinstance(event, TurnDone) for event in reader.events)
    assert len(stored(store, turn)) == 1

    troubled.before_finish.open()
    assert isinstance(reader.to_end()[-1], TurnDone)
    assert the_answer(store, turn) == ("Hello there", "complete", "stop")


def test_store_that_fails_at_the_end_is_an_error_and_the_answer_is_kept(
    run: Run, turn: Turn, troubled: TroubledStore, kept: list[Any]
) -> None:
    troubled.before_finish = StorageUnavailable()
    running = run()

    assert the_error(list(running.events())) is StorageUnavailable
    answer = running.summary().answer
    assert answer is not None
    assert answer.content == "Hello there"
    assert kept == [(replace(turn, prompt=()), answer)]


def test_store_that_crashes_at_the_end_is_an_error_and_the_answer_is_kept(
    run: Run, turn: Turn, troubled: TroubledStore, kept: list[Any]
) -> None:
    troubled.before_finish = OverflowError("a bug")
    running = run()

    assert the_error(list(running.events())) is StorageUnavailable
    assert kept == [(replace(turn, prompt=()), running.summary().answer)]


def test_attempt_that_was_overtaken_is_a_conflict(
    run: Run, turn: Turn, store: ConversationStore, model: ScriptedModel
) -> None:
    gate = Gate()
    model.script(gate, "Too late")
    running = run()
    gate.wait_reached()
    store.delete_conversation(turn.conversation_id)
    gate.open()

    assert the_error(list(running.events())) is Conflict


@pytest.mark.parametrize(
    ("script", "limits", "code"),
    [
        ({"reads": ["Hi"]}, {}, None),
        ({"reads": [], "start": ModelUnavailable()}, {}, "model_unavailable"),
        ({"reads": ["Half", ModelTimeout()]}, {}, "model_timeout"),
        ({"reads": ["Half"], "finish_reason": None}, {}, "model_interrupted"),
        ({"reads": [], "finish_reason": None}, {}, "model_interrupted"),
        ({"reads": ["Half", Gate()]}, {"turn_timeout_s": 0.05}, "model_timeout"),
        ({"reads": ["Half", ValueError()]}, {}, "internal_error"),
    ],
)
def test_failure_is_kept_by_its_code(
    run: Run,
    model: ScriptedModel,
    turn: Turn,
    store: ConversationStore,
    script: dict[str, Any],
    limits: dict[str, float],
    code: str | None,
) -> None:
    model.script(*script.pop("reads"), **script)

    list(run(**limits).events())

    assert [each.error_code for each in stored(store, turn)][-1] == code


def test_answer_keeps_whose_request_it_was(
    turn: Turn, store: ConversationStore, model: ScriptedModel
) -> None:
    running = RunningTurn(
        turn,
        turn.prompt,
        a_reservation(),
        store,
        model,
        TurnPolicy(),
        lambda _turn, _answer: None,
        request_id="request-7",
    )
    running.start()

    list(running.events())

    assert [each.request_id for each in stored(store, turn)] == [None, "request-7"]
