"""A service of turns, and turns of it."""

from collections.abc import Callable

from app.domain.events import TokensReceived, TurnDone
from app.turns.readers import Reader
from app.turns.service import TurnService
from app.turns.turn import RunningTurn
from tests.data import a_question
from tests.turn_parts import CLIENT

MakeService = Callable[..., TurnService]


def start(service: TurnService, **fields: object) -> RunningTurn:
    return service.run(service.begin(a_question(**fields), CLIENT), request_id="request-1")


def said(reader: Reader) -> tuple[str, str]:
    """What a reader is told, and what the answer is in the end."""
    *events, done = reader.events()
    assert isinstance(done, TurnDone), done
    tokens = [each.tokens for each in events if isinstance(each, TokensReceived)]
    return "".join(map("".join, tokens)), done.message
