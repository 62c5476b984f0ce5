"""Every way to end: the model's, the deadline's, and those of who cancels."""

import logging
from collections.abc import Sequence

import pytest

from app.domain.conversation import Turn
from app.domain.errors import (
    ModelInterrupted,
    ModelTimeout,
    ModelUnavailable,
    ServerRestarting,
    ServiceError,
)
from app.domain.events import TurnDone, TurnEvent, TurnFailed, TurnStarted
from app.storage.protocol import ConversationStore
from app.turns.endings import EMPTY_ANSWER, Ending
from app.turns.turn import RunningTurn
from tests.fakes import Gate, ScriptedModel, TroubledStore
from tests.turns.running import (
    FakeOutlet,
    Reader,
    Run,
    begin,
    nameless,
    stored,
    the_answer,
    the_error,
)


@pytest.mark.parametrize(
    ("told", "said", "message", "marked"),
    [
        ({"finish_reason": "stop"}, "Hi", "Hi", None),
        ({"finish_reason": "length"}, "Hi", "Hi", "length"),
        ({"finish_reason": "MAX_TOKENS"}, "Hi", "Hi", "length"),
        ({"finish_reason": "content_filter"}, "Hi", "Hi", "content_filter"),
        ({"finish_reason": "content_filter"}, "", "Not that.", "content_filter"),
        ({"finish_reason": "SAFETY"}, "Hi", "Hi", "content_filter"),
        ({"finish_reason": "stop", "refusal": "I must not"}, "", "Not that.", "content_filter"),
        ({"finish_reason": "stop"}, "", EMPTY_ANSWER, None),
        ({"finish_reason": "stop"}, " \n", EMPTY_ANSWER, None),
        ({"finish_reason": "end_turn"}, "", EMPTY_ANSWER, None),
        ({"finish_reason": "eos"}, "Hi", "Hi", None),
        ({"finish_reason": "tool_calls"}, "Hi", "Hi", None),
        ({"finish_reason": "something-new"}, "Hi", "Hi", None),
        ({"finish_reason": "stop"}, "The user greets.\n</think>\n\nHi", "Hi", None),
    ],
)
def test_every_way_a_model_ends(
    run: Run,
    turn: Turn,
    model: ScriptedModel,
    store: ConversationStore,
    told: dict[str, str],
    said: str,
    message: str,
    marked: str | None,
) -> None:
    model.script(*([said] if said else []), **told)  # type: ignore[arg-type]

    events = list(run(refusal_message="Not that.").events())

    assert nameless(events[-1]) == TurnDone(message, turn.conversation_id, turn.id, marked)
    assert the_answer(store, turn) == (message, "complete", marked or "stop")


@pytest.mark.parametrize(
    ("reason", "said", "error", "kept"),
    [
        ("length", "", ModelInterrupted, None),
        ("MAX_TOKENS", " \n", ModelInterrupted, None),
        ("tool_calls", "", ModelInterrupted, None),
        ("something-new", "", ModelInterrupted, None),
        ("error", "Half an", ModelUnavailable, "Half an"),
        ("network_error", "", ModelUnavailable, None),
    ],
)
def test_end_that_is_no_answers_end(
    run: Run,
    turn: Turn,
    model: ScriptedModel,
    store: ConversationStore,
    reason: str,
    said: str,
    error: type[ServiceError],
    kept: str | None,
) -> None:
    model.script(*([said] if said else []), finish_reason=reason)

    events = list(run().events())

    assert the_error(events) is error
    answers = [(each.content, each.status) for each in stored(store, turn)[1:]]
    assert answers == ([(kept, "partial")] if kept else [])


def test_model_that_gives_no_reason_was_interrupted(
    run: Run, turn: Turn, model: ScriptedModel, store: ConversationStore
) -> None:
    model.script("Half an", finish_reason=None)

    events = list(run().events())

    assert the_error(events) is ModelInterrupted
    assert the_answer(store, turn) == ("Half an", "partial", None)


def test_model_that_fails_mid_stream_keeps_the_text(
    run: Run, turn: Turn, model: ScriptedModel, store: ConversationStore
) -> None:
    model.script("Half an", ModelTimeout())

    events = list(run().events())

    assert the_error(events) is ModelTimeout
    assert the_answer(store, turn) == ("Half an", "partial", None)


def test_model_that_never_starts_leaves_only_the_question(
    run: Run, turn: Turn, model: ScriptedModel, store: ConversationStore
) -> None:
    model.script(start=ModelUnavailable())

    events = list(run().events())

    assert the_error(events) is ModelUnavailable
    assert [message.role for message in stored(store, turn)] == ["user"]
    assert begin(store, turn_id="turn-0002")  # the lease was given back


def test_crash_of_the_model_keeps_the_text_and_frees_the_session(
    run: Run,
    turn: Turn,
    model: ScriptedModel,
    store: ConversationStore,
    caplog: pytest.LogCaptureFixture,
) -> None:
    model.script("Half an", OverflowError("a bug"))

    with caplog.at_level(logging.ERROR):
        events = list(run().events())

    assert the_error(events) is ServiceError
    assert "a bug" in caplog.text
    assert the_answer(store, turn) == ("Half an", "partial", None)
    assert begin(store, turn_id="turn-0002")


CANCELLED = [
    (Ending.LEFT, TurnDone),
    (Ending.STOPPED, TurnDone),
    (Ending.DEADLINE, ModelTimeout),
    (Ending.RESTARTING, ServerRestarting),
]


def outcome_of(events: Sequence[TurnEvent]) -> type:
    last = events[-1]
    return type(last.error) if isinstance(last, TurnFailed) else type(last)


@pytest.mark.parametrize(("ending", "outcome"), CANCELLED)
def test_cancelled_before_it_starts(
    run: Run,
    turn: Turn,
    model: ScriptedModel,
    store: ConversationStore,
    ending: Ending,
    outcome: type,
) -> None:
    running = run()

    running.cancel(ending)  # its greenlet has not run yet

    assert outcome_of(list(running.events())) is outcome
    assert model.prompts == []
    assert len(stored(store, turn)) == 1
    assert begin(store, turn_id="turn-0002")


@pytest.mark.parametrize(("ending", "outcome"), CANCELLED)
def test_cancelled_while_connecting(
    run: Run,
    turn: Turn,
    model: ScriptedModel,
    store: ConversationStore,
    ending: Ending,
    outcome: type,
) -> None:
    gate = Gate()
    model.script("Never", start=gate)
    running = run()
    gate.wait_reached()

    running.cancel(ending)

    assert outcome_of(list(running.events())) is outcome
    assert len(stored(store, turn)) == 1
    assert begin(store, turn_id="turn-0002")


@pytest.mark.parametrize("has_outlet", [False, True])
@pytest.mark.parametrize(("ending", "outcome"), CANCELLED)
def test_cancelled_mid_stream_keeps_what_was_said(
    run: Run,
    turn: Turn,
    model: ScriptedModel,
    store: ConversationStore,
    ending: Ending,
    outcome: type,
    has_outlet: bool,
) -> None:
    gate = Gate()
    model.script("Half an", gate, " answer")
    running = run(outlet=FakeOutlet() if has_outlet else None)
    reader = Reader(running)
    gate.wait_reached()

    running.cancel(ending)

    assert outcome_of(reader.to_end()) is outcome
    assert the_answer(store, turn) == ("Half an", "partial", ending.value)
    assert running.summary().outcome == (
        ending.value if outcome is TurnDone else outcome.code  # type: ignore[attr-defined]
    )
    assert model.open_count == 0


@pytest.mark.parametrize("ending", list(Ending))
def test_cancelled_while_storing_changes_nothing(
    run: Run, turn: Turn, store: ConversationStore, troubled: TroubledStore, ending: Ending
) -> None:
    troubled.before_finish = Gate()
    running = run()
    troubled.before_finish.wait_reached()

    running.cancel(ending)
    troubled.before_finish.open()

    assert nameless(list(running.events())[-1]) == TurnDone(
        "Hello there", turn.conversation_id, turn.id
    )
    assert the_answer(store, turn) == ("Hello there", "complete", "stop")


def test_cancelled_when_all_is_over_changes_nothing(run: Run, ended: list[RunningTurn]) -> None:
    running = run()
    list(running.events())

    running.cancel(Ending.LEFT)  # as every stream does that closes

    assert running.summary().outcome == "done"
    assert ended == [running]


def test_first_reason_to_cancel_decides(
    run: Run, turn: Turn, store: ConversationStore, model: ScriptedModel
) -> None:
    gate = Gate()
    model.script("Half", gate)
    running = run()
    gate.wait_reached()

    running.cancel(Ending.STOPPED)
    running.cancel(Ending.LEFT)
    list(running.events())

    assert the_answer(store, turn) == ("Half", "partial", "stopped")


def test_deadline_ends_a_turn(
    run: Run, turn: Turn, store: ConversationStore, model: ScriptedModel
) -> None:
    model.script("Half", Gate())

    events = list(run(turn_timeout_s=0.05).events())

    assert the_error(events) is ModelTimeout
    assert the_answer(store, turn) == ("Half", "partial", "deadline")


@pytest.mark.parametrize("ending", list(Ending))
def test_cancelled_before_anybody_reads(
    run: Run, turn: Turn, model: ScriptedModel, store: ConversationStore, ending: Ending
) -> None:
    running = run(outlet=FakeOutlet())

    running.cancel(ending)

    assert running.wait_ended(5)
    assert model.prompts == []
    assert begin(store, turn_id="turn-0002")  # the lease was given back
    assert isinstance(next(running.events()), TurnStarted)
