"""A turn that another process runs, told to one who reads it here."""

from collections.abc import Iterator, Sequence
from typing import Any, Self

import pytest

from app.domain.conversation import Answer, Turn
from app.domain.errors import ModelInterrupted, StorageUnavailable, TurnNotFound
from app.domain.events import Heartbeat, TokensReceived, TurnDone, TurnFailed, TurnStarted
from app.storage.protocol import ConversationStore
from app.turns import elsewhere
from app.turns.elsewhere import TurnElsewhere
from app.turns.repeated import StoredTurn, read_turn
from tests.data import a_question

PATIENCE_S = 20.0


class Told:
    """What another process tells, and how its story ends."""

    def __init__(self, *deltas: Sequence[str], is_whole: bool = True) -> None:
        self.is_whole = is_whole
        self.is_left = self.is_closed = False
        self._deltas = deltas

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.is_closed = True

    def __iter__(self) -> Iterator[TokensReceived | Heartbeat]:
        for tokens in self._deltas:
            yield TokensReceived(tokens) if tokens else Heartbeat()

    def leave(self) -> None:
        self.is_left = True


@pytest.fixture
def turn(store: ConversationStore) -> Turn:
    return store.begin_turn(a_question(), history_limit=30, lease_s=60)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elsewhere, "_LOOK_S", 0.001)


def read(store: ConversationStore, turn: Turn, told: Told | None = None, **limits: Any) -> Any:
    """Read a turn, which ends when it was looked for a third time."""

    def look() -> StoredTurn:
        looks.append(None)
        if len(looks) == 3 and limits.get("ends", True):
            store.finish_turn(turn, Answer("Hello", "complete", finish_reason="stop"))
        return read_turn(store, turn.session_id, turn.id)

    looks: list[None] = []
    patience_s = limits.get("patience_s", PATIENCE_S)
    return TurnElsewhere(look(), lambda: told, look, patience_s)


def test_turn_of_another_machine_is_told_when_the_store_has_it(
    store: ConversationStore, turn: Turn
) -> None:
    *events, last = read(store, turn).events()

    assert events == [
        TurnStarted(turn.conversation_id, turn.id),
        Heartbeat(),
        TokensReceived(["Hello"]),
    ]
    assert isinstance(last, TurnDone)
    assert (last.message, last.message_id is not None) == ("Hello", True)


def test_turn_of_another_worker_is_told_as_it_comes_and_its_end_by_the_store(
    store: ConversationStore, turn: Turn
) -> None:
    told = Told(["Hel"], (), ["lo"])

    events = list(read(store, turn, told).events())

    assert events[1:4] == [TokensReceived(["Hel"]), Heartbeat(), TokensReceived(["lo"])]
    assert [type(event) for event in events[4:]] == [Heartbeat, TurnDone]
    assert told.is_closed


def test_worker_that_dies_is_an_error_at_once(store: ConversationStore, turn: Turn) -> None:
    *_, last = read(store, turn, Told(["Hel"], is_whole=False)).events()

    assert isinstance(last, TurnFailed)
    assert isinstance(last.error, ModelInterrupted)
    assert last.error.retryable


def test_nobody_waits_longer_than_the_lease(store: ConversationStore, turn: Turn) -> None:
    *_, last = read(store, turn, ends=False, patience_s=0.02).events()

    assert isinstance(last, TurnFailed)
    assert isinstance(last.error, ModelInterrupted)


def test_store_that_goes_away_is_an_error(store: ConversationStore, turn: Turn) -> None:
    def look() -> StoredTurn:
        raise StorageUnavailable

    stored = read_turn(store, turn.session_id, turn.id)

    *_, last = TurnElsewhere(stored, lambda: None, look, PATIENCE_S).events()

    assert isinstance(last, TurnFailed)
    assert isinstance(last.error, StorageUnavailable)


def test_who_leaves_is_told_of_where_the_turn_runs(store: ConversationStore, turn: Turn) -> None:
    told = Told(["Hel"], ["lo"])
    reading = read(store, turn, told)
    events = reading.events()
    assert [next(events), next(events)][1] == TokensReceived(["Hel"])

    reading.leave()

    assert told.is_left


def test_turn_of_nobody_is_not_found(store: ConversationStore, turn: Turn) -> None:
    for session_id, turn_id in [(turn.session_id, "turn-0002"), ("session-0002", turn.id)]:
        with pytest.raises(TurnNotFound):
            read_turn(store, session_id, turn_id)
