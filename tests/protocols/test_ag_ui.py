"""AG-UI for those who come back: what they have is not told again."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.events import TurnDone, TurnStarted
from app.protocols.ag_ui import AgUi, read_event_id

TURN = "turn:0001"
STARTED = TurnStarted("c-1", TURN)
Event = tuple[str | None, dict[str, str]]


def events(data: bytes) -> list[Event]:
    """The events with their ids, without heartbeats."""
    told = []
    for event in data.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in event.splitlines())
        if "data" in fields:
            told.append((fields.get("id"), json.loads(fields["data"])))
    return told


def stream(protocol: AgUi, tokens: Sequence[str], message: str) -> list[Event]:
    """The events of an answer in which each read brings a token."""
    encoder = protocol.encoder()
    data = encoder.started(STARTED) + b"".join(encoder.tokens([each]) for each in tokens)
    return events(data + encoder.done(TurnDone(message, "c-1", TURN)))


def text_of(told: Sequence[Event]) -> str:
    return "".join(event.get("delta", "") for _, event in told)


@settings(max_examples=100)
@given(st.lists(st.text(max_size=4), max_size=8), st.data())
def test_who_comes_back_after_any_event_is_told_the_rest(
    tokens: list[str], data: st.DataObject
) -> None:
    message = "".join(tokens).strip() or "I could not answer."
    first = stream(AgUi("thread-1", "run-1", has_ids=True), tokens, message)
    at = data.draw(st.sampled_from([at for at, (name, _) in enumerate(first) if name]))
    has, last = first[: at + 1], first[at][0]
    grouped = data.draw(st.sampled_from([tokens, ["".join(tokens)], [message]]))

    turn_id, after = read_event_id(last or "")
    rest = stream(AgUi("thread-1", "run-1", has_ids=True, after=after), grouped, message)

    assert turn_id == TURN
    assert text_of([*has, *rest]).strip() == message
    assert [event["type"] for _, event in rest][-2:] == ["TEXT_MESSAGE_END", "RUN_FINISHED"]
    assert not {"RUN_STARTED", "TEXT_MESSAGE_START"} & {event["type"] for _, event in rest}


def test_ids_are_the_turns_with_what_was_said_by_then() -> None:
    told = stream(AgUi("thread-1", "run-1", has_ids=True), ["\n", "Hi", " you"], "Hi you")

    assert [name for name, _ in told] == [
        None, f"{TURN}:0", f"{TURN}:2", f"{TURN}:6", None, None,
    ]  # fmt: skip


def test_who_cannot_come_back_gets_no_ids() -> None:
    told = stream(AgUi("thread-1", "run-1"), ["Hi"], "Hi")

    assert {name for name, _ in told} == {None}


@pytest.mark.parametrize("event_id", ["", ":", "turn-0001", "turn-0001:", "turn-0001:-1", "t:x"])
def test_nonsense_names_no_turn(event_id: str) -> None:
    assert read_event_id(event_id)[0] == ""
