"""Fixtures of the tests of turns."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.assistants import Assistants
from app.domain.conversation import Answer, Turn
from app.settings import TurnPolicy
from app.storage.protocol import ConversationStore
from app.turns.admission import Admission
from app.turns.service import TurnService
from app.turns.transcript import Outlet
from app.turns.turn import RunningTurn
from tests.fakes import ScriptedModel, TroubledStore
from tests.turn_parts import a_reservation, an_assistant
from tests.turns.running import Run, begin
from tests.turns.serving import MakeService


@pytest.fixture
def troubled(store: ConversationStore) -> TroubledStore:
    return TroubledStore(store)


@pytest.fixture
def make_service(troubled: TroubledStore, model: ScriptedModel) -> Iterator[MakeService]:
    """Builds services over ``store`` and ``model``, with a policy of the test's own."""

    made: list[TurnService] = []

    def make(max_running: int = 100, seats: int = 0, **fields: Any) -> TurnService:
        policy = TurnPolicy(system_prompt="Be brief.", **fields)
        assistants = Assistants([an_assistant(model, policy, seats=seats)])
        made.append(TurnService(troubled, assistants, Admission(), max_running))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for service in made:
        service.drain(patience_s=0)


@pytest.fixture
def service(make_service: MakeService) -> TurnService:
    return make_service()


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
