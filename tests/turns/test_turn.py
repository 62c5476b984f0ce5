"""One turn while it runs, over a real store and a scripted model."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import gevent
import pytest

from app.domain.conversation import Answer, Message, Turn, Usage
from app.domain.errors import (
    Conflict,
    ModelInterrupted,
    ModelTimeout,
    ModelUnavailable,
    ServerRestarting,
    ServiceError,
    StorageUnavailable,
)
from app.domain.events import (
    Heartbeat,
    TokensReceived,
    TurnDone,
    TurnEvent,
    TurnFailed,
    TurnStarted,
)
from app.settings import TurnPolicy
from app.storage.protocol import ConversationStore
from app.turns.endings import EMPTY_ANSWER, Ending
from app.turns.transcript import Outlet
from app.turns.turn import RunningTurn
from tests.data import a_question
from tests.fakes import Gate, ScriptedModel, TroubledStore, until
from tests.turn_parts import a_reservation

Run = Callable[..., RunningTurn]


@pytest.fixture
def troubled(store: ConversationStore) -> TroubledStore:
    return TroubledStore(store)


@pytest.fixture
def turn(store: ConversationStore) -> Turn:
    return begin(store)


@pytest.fixture
def kept() -> list[tuple[Turn, Answer]]:
    """The answers that the store would not take."""
    return []


@pytest.fixture
def ended() -> list[RunningTurn]:
    """The turns that have said that they are over."""
    return []


@pytest.fixture
def run(
    turn: Turn,
    troubled: TroubledStore,
    model: ScriptedModel,
    kept: list[Any],
    ended: list[RunningTurn],
) -> Run:
    """Starts ``turn``, or another, with limits of the test's own."""

    def keep(turn: Turn, answer: Answer) -> None:
        kept.append((turn, answer))

    def run(
        turn: Turn = turn,
        outlet: Outlet | None = None,
        grace_s: float = 0,
        **limits: float | str,
    ) -> RunningTurn:
        running = RunningTurn(
            replace(turn, prompt=()),
            turn.prompt,
            a_reservation(),
            troubled,  # type: ignore[arg-type]
            model,
            TurnPolicy(**limits),  # type: ignore[arg-type]
            keep,
            ended.append,
            grace_s=grace_s,
        )
        running.start(outlet)
        return running

    return run


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


CANCELLED = [
    (Ending.LEFT, TurnDone),
    (Ending.STOPPED, TurnDone),
    (Ending.DEADLINE, ModelTimeout),
    (Ending.RESTARTING, ServerRestarting),
]


def nameless(event: TurnEvent) -> TurnEvent:
    """An event without the answer's id, which is the store's business."""
    return replace(event, message_id=None) if isinstance(event, TurnDone) else event


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


def said(events: Sequence[TurnEvent]) -> str:
    return "".join(
        token for event in events if isinstance(event, TokensReceived) for token in event.tokens
    )


def test_slow_reader_holds_up_neither_the_model_nor_another_reader(
    run: Run, model: ScriptedModel
) -> None:
    reads = [[str(number % 10) for number in range(100)]] * 20
    model.script(*reads)
    running = run()
    slow = running.events()
    next(slow)

    quick = Reader(running).to_end()

    text = "".join(map("".join, reads))
    assert said(quick) == text
    assert running.wait_ended(0)
    rest = list(slow)
    assert said(rest) == text
    assert isinstance(rest[-1], TurnDone)


def test_reader_who_comes_late_is_told_everything(run: Run, model: ScriptedModel) -> None:
    gate = Gate()
    model.script("Hel", gate, "lo")
    outlet = FakeOutlet()
    running = run(outlet=outlet)
    first = Reader(running)
    gate.wait_reached()

    second = Reader(running)
    gevent.idle()
    gate.open()

    events = second.to_end()
    assert events[1] == TokensReceived(["Hel"])
    assert (said(events), "".join(outlet.sent)) == ("Hello", "Hello")
    assert events[-1] == first.to_end()[-1]
    assert said(list(running.events())) == "Hello"  # and so is one who comes when it is over


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


@pytest.mark.parametrize("has_outlet", [False, True])
def test_last_reader_who_leaves_ends_the_turn_where_there_is_no_grace(
    run: Run, model: ScriptedModel, turn: Turn, store: ConversationStore, has_outlet: bool
) -> None:
    gate = Gate()
    model.script("Half", gate, "never")
    outlet = FakeOutlet() if has_outlet else None
    running = run(outlet=outlet)
    reader = Reader(running)
    gate.wait_reached()

    running.leave(outlet)

    reader.to_end()
    assert the_answer(store, turn) == ("Half", "partial", "left")
    assert running.summary().outcome == "left"
    assert model.open_count == 0


@pytest.mark.parametrize("has_outlet", [False, True])
def test_answer_that_ends_within_the_grace_is_whole(
    run: Run, model: ScriptedModel, turn: Turn, store: ConversationStore, has_outlet: bool
) -> None:
    gate = Gate()
    model.script("Half", gate, " and half")
    outlet = FakeOutlet() if has_outlet else None
    running = run(outlet=outlet, grace_s=60)
    Reader(running)
    gate.wait_reached()

    running.leave(outlet)
    gate.open()

    assert running.wait_ended(20)
    assert the_answer(store, turn) == ("Half and half", "complete", "stop")
    assert running.summary().outcome == "done"
    if outlet is not None:
        assert outlet.sent == ["Half"]


@pytest.mark.parametrize("has_outlet", [False, True])
def test_turn_that_nobody_comes_back_to_ends_with_its_grace(
    run: Run, model: ScriptedModel, turn: Turn, store: ConversationStore, has_outlet: bool
) -> None:
    gate = Gate()
    model.script("Half", gate, "never")
    outlet = FakeOutlet() if has_outlet else None
    running = run(outlet=outlet, grace_s=0.05)
    Reader(running)
    gate.wait_reached()

    running.leave(outlet)

    assert running.wait_ended(20)
    assert the_answer(store, turn) == ("Half", "partial", "left")


def test_turn_whose_visitor_comes_back_goes_on(run: Run, model: ScriptedModel) -> None:
    gate = Gate()
    model.script("Hel", gate, "lo")
    running = run(grace_s=0.05)
    gate.wait_reached()

    running.leave()
    running.readers.join()
    assert not running.wait_ended(0.2)
    gate.open()

    assert said(Reader(running).to_end()) == "Hello"


def test_turn_that_another_still_reads_goes_on(run: Run, model: ScriptedModel) -> None:
    gate = Gate()
    model.script("Hel", gate, "lo")
    outlet = FakeOutlet()
    running = run(outlet=outlet)
    Reader(running)
    gate.wait_reached()
    running.readers.join()
    second = Reader(running)

    running.leave(outlet)
    gate.open()

    assert said(second.to_end()) == "Hello"
    assert outlet.sent == ["Hel"]


def test_turn_that_was_left_before_anybody_read_it_is_answered(
    run: Run, turn: Turn, store: ConversationStore
) -> None:
    outlet = FakeOutlet()
    running = run(outlet=outlet, grace_s=60)

    running.leave(outlet)

    assert running.wait_ended(20)
    assert the_answer(store, turn) == ("Hello there", "complete", "stop")


def test_one_who_comes_back_while_the_answer_is_stored_is_told_all_of_it(
    run: Run, troubled: TroubledStore
) -> None:
    troubled.before_finish = Gate()
    running = run(grace_s=60)
    troubled.before_finish.wait_reached()
    running.leave()

    running.readers.join()
    events = running.read()
    told = [next(events), next(events)]
    troubled.before_finish.open()

    assert told[1] == TokensReceived(["Hello there"])
    assert [type(event) for event in events] == [TurnDone]


def test_leaving_while_the_answer_is_stored_changes_nothing(
    run: Run, turn: Turn, store: ConversationStore, troubled: TroubledStore
) -> None:
    troubled.before_finish = Gate()
    running = run()
    troubled.before_finish.wait_reached()

    running.leave()
    troubled.before_finish.open()

    assert running.wait_ended(20)
    assert the_answer(store, turn) == ("Hello there", "complete", "stop")


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


def test_reader_who_is_killed_has_left_and_what_was_said_is_kept(
    run: Run, model: ScriptedModel, turn: Turn, store: ConversationStore
) -> None:
    gate = Gate()
    model.script("Half", gate, "never")
    outlet = FakeOutlet()
    running = run(outlet=outlet)
    reader = Reader(running)
    gate.wait_reached()

    reader.greenlet.kill()

    assert running.wait_ended(5)
    assert the_answer(store, turn) == ("Half", "partial", "left")
    assert outlet.sent == ["Half"]


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
