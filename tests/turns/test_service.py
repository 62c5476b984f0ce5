"""The service of turns: who may begin, who waits, and how a process goes down."""

import contextlib
import time

import gevent
import pytest

from app.assistants import Assistants
from app.domain.conversation import Message, Question
from app.domain.errors import (
    ModelUnavailable,
    Overloaded,
    ServerRestarting,
    StorageUnavailable,
    TurnInProgress,
    TurnMismatch,
)
from app.domain.events import TurnDone
from app.storage.protocol import ConversationStore
from app.turns.admission import Admission
from app.turns.service import TurnService
from app.turns.turn import RunningTurn
from tests.data import a_question
from tests.fakes import Gate, ScriptedModel, TroubledStore, until
from tests.turn_parts import CLIENT, an_assistant
from tests.turns.serving import MakeService, start


def question_number(number: int) -> Question:
    return a_question(session_id=f"session-{number}", turn_id=f"turn-{number:04}")


def test_model_is_asked_with_the_system_prompt_and_the_history(
    service: TurnService, model: ScriptedModel
) -> None:
    model.script("Nine to five.")
    service.complete(start(service))
    service.complete(start(service, turn_id="turn-0002", content="On Sundays?"))

    assert [(said.role, said.content) for said in model.prompts[1]] == [
        ("system", "Be brief."),
        ("user", "What are your hours?"),
        ("assistant", "Nine to five."),
        ("user", "On Sundays?"),
    ]
    assert model.request_ids == ["request-1", "request-1"]


def test_history_is_cut_to_the_policy(make_service: MakeService, model: ScriptedModel) -> None:
    service = make_service(history_limit=1)
    service.complete(start(service))
    service.complete(start(service, turn_id="turn-0002", content="On Sundays?"))

    assert [said.content for said in model.prompts[1]] == ["Be brief.", "On Sundays?"]


def roles_of(model: ScriptedModel) -> list[str]:
    """Return what each prompt's roles are, in letters."""
    return ["".join(said.role[0] for said in prompt) for prompt in model.prompts]


@pytest.mark.parametrize(
    ("count", "policy"),
    [
        (18, {"history_limit": 30}),
        (18, {"history_limit": 29}),
        (3, {"history_limit": 2}),
        (3, {"history_limit": 1}),
        *[(5, {"max_prompt_tokens": tokens}) for tokens in (105, 110, 115, 130, 140, 150)],
    ],
)
def test_every_prompt_begins_with_the_visitor_and_takes_turns(
    make_service: MakeService, model: ScriptedModel, count: int, policy: dict[str, int]
) -> None:
    service = make_service(**policy)

    for number in range(count):
        question = f"Question {number}: " + "lamp " * 20
        service.complete(start(service, turn_id=f"turn-{number:04}", content=question))

    for number, roles in enumerate(roles_of(model)):
        assert roles == "s" + "ua" * ((len(roles) - 2) // 2) + "u"
        assert model.prompts[number][-1].content == f"Question {number}: " + "lamp " * 20
    assert len(model.prompts) == count


def test_prompt_holds_what_was_not_answered(service: TurnService, model: ScriptedModel) -> None:
    for number, said in enumerate([ModelUnavailable(), "Half", "Yes.", "", "Well."]):
        if said == "Half":
            model.script("Half", ModelUnavailable())
        elif isinstance(said, Exception):
            model.script(start=said)
        else:
            model.script(*([said] if said else []))
        running = start(service, turn_id=f"turn-{number:04}", content=f"Question {number}")
        with contextlib.suppress(ModelUnavailable):
            service.complete(running)

    assert [(said.role, said.content) for said in model.prompts[-1]] == [
        ("system", "Be brief."),
        ("user", "Question 0\n\nQuestion 1"),
        ("assistant", "Half"),
        ("user", "Question 2"),
        ("assistant", "Yes."),
        ("user", "Question 3\n\nQuestion 4"),
    ]


def test_complete_waits_for_the_whole_answer(service: TurnService) -> None:
    running = start(service)

    done = service.complete(running)

    assert isinstance(done, TurnDone)
    assert done.message == "Hello there"
    assert service.running_count == 0


def test_complete_raises_what_a_stream_would_end_with(
    service: TurnService, model: ScriptedModel
) -> None:
    model.script("Half", ModelUnavailable())

    with pytest.raises(ModelUnavailable):
        service.complete(start(service))


def test_busy_session_is_waited_for(
    service: TurnService, model: ScriptedModel, troubled: TroubledStore
) -> None:
    gate = Gate()
    model.script("First", gate)
    start(service)
    gate.wait_reached()
    second = gevent.spawn(start, service, turn_id="turn-0002", content="And then?")
    until(lambda: troubled.refused)

    gate.open()

    done = service.complete(second.get(timeout=20))
    assert done.message == "First"
    assert [said.content for said in model.prompts[1]][1:] == [
        "What are your hours?",
        "First",
        "And then?",
    ]


@pytest.mark.slow
def test_session_that_stays_busy_is_refused(
    make_service: MakeService, model: ScriptedModel
) -> None:
    service = make_service(busy_wait_s=0.05)
    model.script(Gate())
    start(service)

    with pytest.raises(TurnInProgress) as refused:
        service.begin(a_question(turn_id="turn-0002"), CLIENT)

    assert refused.value.retry_after_s == 1
    assert refused.value.turn_id == "turn-0001"


@pytest.mark.slow
def test_session_busy_in_another_process_is_polled(
    service: TurnService,
    store: ConversationStore,
    model: ScriptedModel,
    troubled: TroubledStore,
) -> None:
    elsewhere = TurnService(store, Assistants([an_assistant(model)]), Admission(), 100)
    gate = Gate()
    model.script("First", gate)
    start(elsewhere)
    gate.wait_reached()
    second = gevent.spawn(start, service, turn_id="turn-0002")
    until(lambda: troubled.refused)

    gate.open()

    assert service.complete(second.get(timeout=20)).turn_id == "turn-0002"


def test_turn_that_runs_is_refused_at_once(service: TurnService, model: ScriptedModel) -> None:
    model.script(Gate())
    start(service)
    began_at = time.monotonic()

    with pytest.raises(TurnInProgress) as refused:
        service.begin(a_question(), CLIENT)

    assert time.monotonic() - began_at < 4.5  # another turn would wait 5 s
    assert refused.value.turn_id == "turn-0001"


def test_turn_id_of_another_question_is_refused(service: TurnService) -> None:
    service.complete(start(service))

    with pytest.raises(TurnMismatch):
        service.begin(a_question(content="Something else"), CLIENT)


def test_complete_turn_is_answered_from_the_store(
    service: TurnService, model: ScriptedModel
) -> None:
    first = service.complete(start(service))

    again = service.complete(start(service))

    assert again == first
    assert len(model.prompts) == 1


def test_regenerate_asks_the_model_again(service: TurnService, model: ScriptedModel) -> None:
    service.complete(start(service))
    model.script("Better")

    assert service.complete(start(service, regenerate=True)).message == "Better"


def test_turn_that_nobody_reads_makes_way_for_the_next_question(
    make_service: MakeService, model: ScriptedModel
) -> None:
    service = make_service(leave_grace_s=60)
    gate = Gate()
    model.script("Half", gate)
    left = service.run(service.begin(a_question(), CLIENT), can_return=True)
    gate.wait_reached()
    left.leave()
    model.script("Next")

    done = service.complete(start(service, turn_id="turn-0002", content="And then?"))

    assert done.message == "Next"
    assert left.summary().outcome == "left"


def test_one_turn_too_many_is_refused(make_service: MakeService, model: ScriptedModel) -> None:
    service = make_service(max_running=2)
    model.script(Gate())
    for number in range(2):
        service.run(service.begin(question_number(number), CLIENT))

    with pytest.raises(Overloaded) as refused:
        service.begin(question_number(2), CLIENT)

    assert refused.value.retry_after_s == 5
    assert service.running_count == 2


def test_turns_that_begin_at_once_are_counted_too(
    make_service: MakeService, troubled: TroubledStore
) -> None:
    service = make_service(max_running=2)
    troubled.before_begin = Gate()
    beginning = [
        gevent.spawn(service.begin, question_number(number), CLIENT) for number in range(2)
    ]
    troubled.before_begin.wait_reached()

    with pytest.raises(Overloaded):
        service.begin(question_number(2), CLIENT)

    troubled.before_begin.open()
    gevent.joinall(beginning, timeout=20, raise_error=True)


def test_turn_that_could_not_begin_leaves_its_place(
    make_service: MakeService, troubled: TroubledStore
) -> None:
    service = make_service(max_running=1)
    troubled.before_begin = StorageUnavailable()
    for _ in range(3):
        with pytest.raises(StorageUnavailable):
            service.begin(a_question(), CLIENT)
    troubled.before_begin = None

    assert service.begin(a_question(), CLIENT).turn.id == "turn-0001"


def test_drain_lets_running_turns_finish(
    service: TurnService, store: ConversationStore, model: ScriptedModel
) -> None:
    gate = Gate()
    model.script("Half", gate, " and half")
    running = start(service)
    gate.wait_reached()
    draining = gevent.spawn(service.drain, patience_s=5)
    until(lambda: service.is_draining)

    with pytest.raises(ServerRestarting) as refused:
        service.begin(question_number(2), CLIENT)
    assert refused.value.retry_after_s == 2

    gate.open()
    draining.get(timeout=20)
    assert answers(store, running) == [("Half and half", "complete")]


@pytest.mark.slow
def test_drain_ends_turns_when_its_patience_does(
    service: TurnService, store: ConversationStore, model: ScriptedModel
) -> None:
    gate = Gate()
    model.script("Half", gate)
    running = start(service)
    gate.wait_reached()

    service.drain(patience_s=0.01)

    with pytest.raises(ServerRestarting):
        service.complete(running)
    assert answers(store, running) == [("Half", "partial")]
    assert service.running_count == 0


@pytest.mark.slow
def test_drain_waits_for_a_turn_that_begins(
    service: TurnService, store: ConversationStore, model: ScriptedModel, troubled: TroubledStore
) -> None:
    model.script("Half", Gate())
    troubled.before_begin = Gate()
    beginning = gevent.spawn(start, service)
    troubled.before_begin.wait_reached()
    draining = gevent.spawn(service.drain, patience_s=0)
    until(lambda: service.is_draining)

    troubled.before_begin.open()

    draining.get(timeout=20)
    assert answers(store, beginning.get(timeout=20)) in ([], [("Half", "partial")])
    assert service.running_count == 0


def test_drain_sends_those_away_who_wait_for_a_busy_session(
    service: TurnService, model: ScriptedModel, troubled: TroubledStore
) -> None:
    gate = Gate()
    model.script("First", gate)
    start(service)
    gate.wait_reached()
    waiting = gevent.spawn(service.begin, a_question(turn_id="turn-0002"), CLIENT)
    until(lambda: troubled.refused)

    draining = gevent.spawn(service.drain, patience_s=5)
    until(lambda: service.is_draining)
    gate.open()

    with pytest.raises(ServerRestarting):
        waiting.get(timeout=20)
    draining.get(timeout=20)
    assert len(model.prompts) == 1


@pytest.mark.slow
def test_drain_does_not_wait_for_each_turn_of_a_dead_store(
    make_service: MakeService, model: ScriptedModel, troubled: TroubledStore
) -> None:
    service = make_service()
    troubled.before_finish = Gate()
    for number in range(10):
        service.run(service.begin(question_number(number), CLIENT))
    troubled.before_finish.wait_reached()
    began_at = time.monotonic()

    service.drain(patience_s=0.01, save_s=0.2)

    assert time.monotonic() - began_at < 1.8  # one after the other, ten turns would take 2 s
    troubled.before_finish.open()


def answers(store: ConversationStore, running: RunningTurn) -> list[tuple[str, str | None]]:
    messages: list[Message] = list(store.read_thread(running.turn.conversation_id).messages)
    return [(each.content, each.status) for each in messages if each.role == "assistant"]
