"""What workers tell each other, without the workers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from gevent import socket
from gevent.event import Event

from app.bus.protocol import BusMessage, SessionChanged, StopRequest
from app.bus.workers import WorkerBus
from app.domain.events import (
    Heartbeat,
    SourcesFound,
    TokensReceived,
    TurnDone,
    TurnEvent,
    TurnStarted,
)
from app.domain.knowledge import Source

REQUEST = StopRequest("ps_session", "turn-0001")


class Receiver:
    """A worker that listens; ``requests`` are what reached it."""

    def __init__(self, bus: WorkerBus) -> None:
        self.requests: list[BusMessage] = []
        self.came = Event()
        bus.listen(self._receive)

    def _receive(self, request: BusMessage) -> None:
        self.requests.append(request)
        self.came.set()


@pytest.fixture
def bus(short_path: Path) -> WorkerBus:
    return WorkerBus(short_path)


@pytest.fixture
def folder(bus: WorkerBus, short_path: Path) -> Path:
    """Where the workers meet; one of them, ourselves, listens."""
    bus.listen(lambda _: None)
    (folder,) = short_path.iterdir()
    return folder


def neighbour(folder: Path, name: str = "1") -> socket.socket:
    """Another worker's end."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.settimeout(5)
    sock.bind(str(folder / name))
    return sock


@pytest.mark.parametrize(
    "request_",
    [REQUEST, StopRequest("ps_session", if_unread=True), SessionChanged("ps_session")],
)
def test_every_other_worker_hears_of_it(bus: WorkerBus, folder: Path, request_: BusMessage) -> None:
    with neighbour(folder, "1") as one, neighbour(folder, "2") as two:
        bus.send(request_)

        assert one.recv(4096) == two.recv(4096) != b""


def test_request_arrives_as_it_was_sent(short_path: Path) -> None:
    sender, hearer = WorkerBus(short_path), WorkerBus(short_path)
    receiver = Receiver(hearer)
    # Of one process, they would be one worker: show the sender the hearer's folder only.
    sender._directory = hearer._directory

    sender.send(REQUEST)

    assert receiver.came.wait(5)
    assert receiver.requests == [REQUEST]


def test_nobody_hears_it_before_anybody_listens(bus: WorkerBus, short_path: Path) -> None:
    bus.send(REQUEST)

    assert list(short_path.iterdir()) == []


def test_dead_workers_are_cleared_away(bus: WorkerBus, folder: Path) -> None:
    neighbour(folder, "1").close()  # as a kill leaves it
    with neighbour(folder, "2") as alive:
        bus.send(REQUEST)

        assert alive.recv(4096)
    assert "1" not in {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(
    "data", [b"", b"stop", b"{}", b"[1]", b"\xff", b"7", b'read ["ps_other", "turn-0001"]']
)
def test_nonsense_is_dropped(short_path: Path, data: bytes) -> None:
    bus = WorkerBus(short_path)
    receiver = Receiver(bus)
    (own,) = next(short_path.iterdir()).iterdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(data, str(own))
        sock.sendto(b'["ps_session", "turn-0001"]', str(own))

    assert receiver.came.wait(5)
    assert receiver.requests == [REQUEST]


def test_folder_that_cannot_be_made_costs_only_the_bus(short_path: Path) -> None:
    bus = WorkerBus(short_path / "missing")

    bus.listen(lambda _: None)
    bus.send(REQUEST)


class Answered:
    """A turn as a worker lets it be read; it goes on when the test says so."""

    def __init__(self, *events: TurnEvent) -> None:
        self.may_end = Event()
        self.left = Event()
        self._events = events

    def events(self) -> Iterator[TurnEvent]:
        yield from self._events[:-1]
        self.may_end.wait(5)
        yield from self._events[-1:]

    def leave(self) -> None:
        self.left.set()


STARTED, DONE = TurnStarted("c-1", "turn-0001"), TurnDone("Hi", "c-1", "turn-0001")
SOURCES = SourcesFound([Source(1, "Hours", "https://example.org/#h"), Source(2, "Prices.pdf")])
WORDS = TokensReceived(["Hel", "lo \ud83d", "\nline"])


@pytest.fixture
def owner(bus: WorkerBus, short_path: Path) -> WorkerBus:
    """Another worker, in whose folder ``bus`` looks."""
    owner = WorkerBus(short_path)
    owner.listen(lambda _: None)
    bus._directory = owner._directory
    return owner


def test_turn_of_another_worker_is_read_as_it_is_said(bus: WorkerBus, owner: WorkerBus) -> None:
    turn = Answered(STARTED, SOURCES, WORDS, Heartbeat(), DONE)
    owner.offer(lambda *wanted: turn if wanted == ("ps_session", "turn-0001") else None)

    relayed = bus.find("ps_session", "turn-0001")

    assert relayed is not None
    turn.may_end.set()
    with relayed:
        assert [each for each in relayed if each != Heartbeat()] == [SOURCES, WORDS]
    assert relayed.is_whole
    assert turn.left.wait(5)


def test_turn_that_no_worker_runs_is_not_found(bus: WorkerBus, owner: WorkerBus) -> None:
    owner.offer(lambda *_: None)

    assert bus.find("ps_session", "turn-0001") is None


def test_worker_that_ends_in_the_middle_has_not_told_all(bus: WorkerBus, owner: WorkerBus) -> None:
    turn = Answered(STARTED, SOURCES, WORDS, Heartbeat())
    owner.offer(lambda *_: turn)
    relayed = bus.find("ps_session", "turn-0001")
    assert relayed is not None
    turn.may_end.set()

    with relayed:
        assert [each for each in relayed if each != Heartbeat()] == [SOURCES, WORDS]

    assert not relayed.is_whole


def test_owner_hears_at_once_that_the_reader_has_gone(bus: WorkerBus, owner: WorkerBus) -> None:
    turn = Answered(STARTED, WORDS, DONE)
    owner.offer(lambda *_: turn)
    relayed = bus.find("ps_session", "turn-0001")
    assert relayed is not None

    relayed.leave()

    assert turn.left.wait(5)
    with relayed:
        list(relayed)
    assert not relayed.is_whole
    turn.may_end.set()
