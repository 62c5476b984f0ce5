"""What a way to the other processes must do."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from app.domain.events import Heartbeat, SourcesFound, TokensReceived, TurnEvent


@dataclass(frozen=True, slots=True)
class StopRequest:
    """The wish to stop a session's running turn: one by its id, or whichever runs.

    ``if_unread``: only where nobody reads it any more.
    """

    session_id: str
    turn_id: str | None = None
    if_unread: bool = False


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """The word that an operator spoke or acted in a session: whoever waits for that looks."""

    session_id: str


BusMessage = StopRequest | SessionChanged


class Bus(Protocol):
    """Carries messages to other processes, as well as it can.

    Neither method raises, and neither waits long: a stop that is lost costs the
    rest of one answer, a change that is lost the time until the next look.
    """

    def send(self, message: BusMessage) -> None:
        """Tell the other processes."""
        ...

    def listen(self, receive: Callable[[BusMessage], object]) -> None:
        """Hand over what other processes send from now on; called once."""
        ...


class Reading(Protocol):
    """A running turn, as somebody reads it."""

    def events(self) -> Iterator[TurnEvent]:
        """Return what happens, from the beginning to the one terminal event."""
        ...

    def leave(self) -> None:
        """Read no more; may be called from the hub, and again."""
        ...


class Relayed(AbstractContextManager["Relayed"], Protocol):
    """What another process tells of a turn that it runs, until the context ends."""

    is_whole: bool
    """Whether it was told to the turn's end, by which the store has the answer."""

    def __iter__(self) -> Iterator[SourcesFound | TokensReceived | Heartbeat]:
        """Yield what is said as it comes, what was said before as one text."""
        ...

    def leave(self) -> None:
        """Read no more; may be called from the hub."""
        ...


class TurnRelay(Protocol):
    """Lets a process read a turn that another one runs."""

    def find(self, session_id: str, turn_id: str) -> Relayed | None:
        """Return what the process tells that runs it, if one that can be asked does."""
        ...

    def offer(self, read: Callable[[str, str], Reading | None]) -> None:
        """Let others read what ``read`` finds; it is called once the bus listens."""
        ...


def to_bytes(message: BusMessage) -> bytes:
    """Write a message down. Machines are upgraded one by one: one of before drops what is new."""
    if isinstance(message, SessionChanged):
        return json.dumps({"changed": message.session_id}).encode()
    fields: list[object] = [message.session_id, message.turn_id]
    # A plain one is as it was before there were others.
    return json.dumps([*fields, True] if message.if_unread else fields).encode()


def from_bytes(data: bytes) -> BusMessage:
    """Read what ``to_bytes`` wrote.

    Raises:
        ValueError: it did not.
    """
    match json.loads(data):
        case [str(session_id), str() | None as turn_id]:
            return StopRequest(session_id, turn_id)
        case [str(session_id), str() | None as turn_id, True]:
            return StopRequest(session_id, turn_id, if_unread=True)
        case {"changed": str(session_id)}:
            return SessionChanged(session_id)
    raise ValueError("not a message of ours")
