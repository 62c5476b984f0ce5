"""A turn that is read again, by any number."""

import gevent
import pytest

from app.domain.errors import ModelInterrupted, Overloaded, TurnNotFound
from app.domain.events import TurnDone, TurnFailed
from app.domain.people import ByOperator, ByVisitor
from app.storage.protocol import ConversationStore
from app.turns.readers import Reader
from app.turns.service import TurnService
from tests.data import SESSION
from tests.fakes import Gate, ScriptedModel
from tests.turn_parts import CLIENT
from tests.turns.serving import MakeService, said, start


def follow(service: TurnService, session_id: str = SESSION) -> Reader:
    assistant = service._assistants["default"]
    return service.following.follow(assistant, CLIENT, session_id, "turn-0001")


def test_running_turn_is_followed_by_any_number(service: TurnService, model: ScriptedModel) -> None:
    gate = Gate()
    model.script("Hel", gate, "lo")
    asker = start(service)
    gate.wait_reached()
    readers = [follow(service) for _ in range(3)]
    readings = [gevent.spawn(said, reader) for reader in readers]
    gevent.idle()

    asker.leave()
    gate.open()

    for reading in readings:
        assert reading.get(timeout=20) == ("Hello", "Hello")


def test_turn_that_is_over_is_followed_from_the_store(service: TurnService) -> None:
    service.complete(start(service))

    assert said(follow(service)) == ("Hello there", "Hello there")


def test_question_that_waits_for_a_person_is_told_as_it_was_when_asked(
    service: TurnService, store: ConversationStore, model: ScriptedModel
) -> None:
    store.people.hand_over(ByVisitor(SESSION, "default"), "ask")
    asked = said(start(service))

    assert said(follow(service)) == asked
    assert not model.prompts


def test_question_that_waited_for_a_person_is_to_be_asked_again_afterwards(
    service: TurnService, store: ConversationStore
) -> None:
    store.people.hand_over(ByVisitor(SESSION, "default"), "ask")
    start(service)
    store.people.hand_over(ByVisitor(SESSION, "default"), "release")

    *_, last = follow(service).events()

    assert isinstance(last, TurnFailed)
    assert isinstance(last.error, ModelInterrupted)


def test_answer_that_was_taken_over_is_told_as_one_that_was_stopped(
    service: TurnService, store: ConversationStore, model: ScriptedModel
) -> None:
    gate = Gate()
    model.script("Hel", gate, "lo")
    running = start(service)
    gate.wait_reached()
    operator = ByOperator(running.turn.conversation_id, "Ada")
    store.people.hand_over(operator, "take")
    gate.open()
    running.wait_ended(20)

    *_, done = follow(service).events()

    assert isinstance(done, TurnDone), done
    assert (done.message, done.finish_reason) == ("Hello", "stopped")


def test_turn_of_another_session_is_not_found(service: TurnService, model: ScriptedModel) -> None:
    model.script(Gate())
    start(service)

    with pytest.raises(TurnNotFound):
        follow(service, "session-other")


def test_who_reads_takes_a_seat_until_gone(make_service: MakeService, model: ScriptedModel) -> None:
    service = make_service(seats=3)
    model.script(Gate())
    start(service)
    readers = [follow(service) for _ in range(2)]

    with pytest.raises(Overloaded):
        follow(service)

    readers[0].leave()
    readers[0].leave()  # as one whose connection was lost, and then closed
    follow(service)
    with pytest.raises(Overloaded):
        follow(service)
