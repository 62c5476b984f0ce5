"""One turn while it runs, over a real store and a scripted model."""

from dataclasses import replace

import pytest

from app.domain.conversation import Turn, Usage
from app.domain.events import Heartbeat, TokensReceived, TurnDone, TurnStarted
from app.storage.protocol import ConversationStore
from app.turns.endings import Ending
from tests.fakes import Gate, ScriptedModel, until
from tests.turns.running import FakeOutlet, Reader, Run, begin, nameless, stored, the_answer


def test_whole_turn(run: Run, turn: Turn, model: ScriptedModel, store: ConversationStore) -> None:
    model.script(["Nine", " to"], " five.\n", usage=Usage(12, 3))

    events = list(run().events())

    conversation = turn.conversation_id
    assert [nameless(event) for event in events] == [
        TurnStarted(conversation, turn.id),
        TokensReceived(["Nine", " to", " five.\n"]),
        TurnDone("Nine to five.", conversation, turn.id, usage=Usage(12, 3)),
    ]
    question, answer = stored(store, turn)
    assert question.content == "What are your hours?"
    assert answer == replace(
        answer,
        role="assistant",
        content="Nine to five.",
        turn_id=turn.id,
        status="complete",
        model="scripted",
        usage=Usage(12, 3),
        finish_reason="stop",
    )
    assert answer.latency_ms is not None
    assert answer.first_token_ms is not None
    assert model.open_count == 0


def test_start_comes_before_the_model_is_ready(run: Run, model: ScriptedModel) -> None:
    gate = Gate()
    model.script("Hi", start=gate)
    events = run().events()

    assert isinstance(next(events), TurnStarted)

    gate.open()
    assert isinstance(next(events), TokensReceived)


def test_deltas_of_one_read_travel_together(run: Run, model: ScriptedModel) -> None:
    gate = Gate()
    model.script(["a", "b"], gate, ["c", "d"])
    events = run().events()
    next(events)

    assert next(events) == TokensReceived(["a", "b"])
    gate.open()
    assert next(events) == TokensReceived(["c", "d"])


@pytest.mark.parametrize("number", [63, 64, 65, 128, 1000])
def test_long_answer_is_kept_word_by_word(
    run: Run, model: ScriptedModel, turn: Turn, store: ConversationStore, number: int
) -> None:
    words = [f"{word} " for word in range(number)]
    model.script(*words)
    running = run()

    list(running.events())

    assert the_answer(store, turn) == ("".join(words).strip(), "complete", "stop")
    assert running.summary().token_count == number


@pytest.mark.parametrize("reads", [["x" * 30], ["x" * 8, "x" * 8], ["x" * 7, "x" * 3]], ids=str)
def test_answer_of_a_model_that_does_not_stop_is_cut(
    run: Run, model: ScriptedModel, turn: Turn, store: ConversationStore, reads: list[str]
) -> None:
    model.script(*reads, *["more"] * 100, Gate(), finish_reason=None)

    *_, done = run(max_answer_chars=10).events()

    assert isinstance(done, TurnDone)
    assert (done.message, done.finish_reason) == ("x" * 10, "length")
    assert the_answer(store, turn) == ("x" * 10, "complete", "length")
    assert model.open_count == 0


@pytest.mark.slow
def test_silence_is_filled_with_heartbeats(run: Run, model: ScriptedModel) -> None:
    gate = Gate()
    model.script("a", gate, "b")
    events = run(heartbeat_s=0.01).events()

    assert [type(next(events)) for _ in range(4)] == [
        TurnStarted,
        TokensReceived,
        Heartbeat,
        Heartbeat,
    ]

    gate.open()
    assert isinstance(list(events)[-1], TurnDone)


def test_deltas_go_through_the_outlet(
    run: Run, model: ScriptedModel, turn: Turn, store: ConversationStore
) -> None:
    gate = Gate()
    model.script("a", gate, ["b", "c"])
    outlet = FakeOutlet()
    reader = Reader(run(outlet=outlet))
    gate.wait_reached()
    assert outlet.sent == ["a"]

    gate.open()

    assert [type(event) for event in reader.to_end()] == [TurnStarted, TurnDone]
    assert outlet.sent == ["a", "b", "c"]
    assert the_answer(store, turn) == ("abc", "complete", "stop")


@pytest.mark.parametrize("full_at", range(1, 8))
def test_order_holds_when_the_outlet_is_full(run: Run, model: ScriptedModel, full_at: int) -> None:
    reads = [[f"{number}a", f"{number}b"] for number in range(6)]
    model.script(*reads)
    outlet = FakeOutlet(full_at)

    events = list(run(outlet=outlet).events())

    assert outlet.sent == [token for read in reads for token in read]
    assert isinstance(events[-1], TurnDone)


def test_silence_beats_through_the_outlet(
    run: Run, model: ScriptedModel, store: ConversationStore
) -> None:
    gate = Gate()
    model.script("a", gate)
    outlet = FakeOutlet()
    reader = Reader(run(outlet=outlet, heartbeat_s=0.01))

    until(lambda: outlet.beats > 1)
    gate.open()
    reader.to_end()
    beats = outlet.beats
    model.script("a", Gate())
    later = FakeOutlet()
    another = run(begin(store, session_id="session-0002"), later, heartbeat_s=0.01)
    Reader(another)
    until(lambda: later.beats > 1)
    another.cancel(Ending.LEFT)

    assert outlet.beats == beats  # from the end on the connection is another's


def test_waiting_for_the_end(run: Run, model: ScriptedModel) -> None:
    gate = Gate()
    model.script("a", gate)
    running = run()

    assert not running.wait_ended(0.01)
    gate.open()
    assert running.wait_ended(5)
    answer = running.summary().answer
    assert answer is not None
    assert answer.content == "a"
