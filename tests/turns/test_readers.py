"""Those who read a turn: late, slow, gone, and back again."""

import gevent
import pytest

from app.domain.conversation import Turn
from app.domain.events import TokensReceived, TurnDone
from app.storage.protocol import ConversationStore
from tests.fakes import Gate, ScriptedModel, TroubledStore
from tests.turns.running import FakeOutlet, Reader, Run, said, the_answer


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


@pytest.mark.slow
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


@pytest.mark.slow
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
