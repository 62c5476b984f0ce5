"""Stop requests between workers, without the workers."""

from pathlib import Path

import pytest
from gevent import socket
from gevent.event import Event

from app.bus.protocol import StopRequest
from app.bus.workers import WorkerBus

REQUEST = StopRequest("ps_session", "turn-0001")


class Receiver:
    """A worker that listens; ``requests`` are what reached it."""

    def __init__(self, bus: WorkerBus) -> None:
        self.requests: list[StopRequest] = []
        self.came = Event()
        bus.listen(self._receive)

    def _receive(self, request: StopRequest) -> None:
        self.requests.append(request)
        self.came.set()


@pytest.fixture
def bus(tmp_path: Path) -> WorkerBus:
    return WorkerBus(tmp_path)


@pytest.fixture
def folder(bus: WorkerBus, tmp_path: Path) -> Path:
    """Where the workers meet; one of them, ourselves, listens."""
    bus.listen(lambda _: None)
    (folder,) = tmp_path.iterdir()
    return folder


def neighbour(folder: Path, name: str = "1") -> socket.socket:
    """Another worker's end."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.settimeout(5)
    sock.bind(str(folder / name))
    return sock


@pytest.mark.parametrize("request_", [REQUEST, StopRequest("ps_session", if_unread=True)])
def test_every_other_worker_hears_of_it(
    bus: WorkerBus, folder: Path, request_: StopRequest
) -> None:
    with neighbour(folder, "1") as one, neighbour(folder, "2") as two:
        bus.send(request_)

        assert one.recv(4096) == two.recv(4096) != b""


def test_request_arrives_as_it_was_sent(tmp_path: Path) -> None:
    sender, hearer = WorkerBus(tmp_path), WorkerBus(tmp_path)
    receiver = Receiver(hearer)
    # Of one process, they would be one worker: show the sender the hearer's folder only.
    sender._directory = hearer._directory

    sender.send(REQUEST)

    assert receiver.came.wait(5)
    assert receiver.requests == [REQUEST]


def test_nobody_hears_it_before_anybody_listens(bus: WorkerBus, tmp_path: Path) -> None:
    bus.send(REQUEST)

    assert list(tmp_path.iterdir()) == []


def test_dead_workers_are_cleared_away(bus: WorkerBus, folder: Path) -> None:
    neighbour(folder, "1").close()  # as a kill leaves it
    with neighbour(folder, "2") as alive:
        bus.send(REQUEST)

        assert alive.recv(4096)
    assert "1" not in {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("data", [b"", b"stop", b"{}", b"[1]", b"\xff", b"7"])
def test_nonsense_is_dropped(tmp_path: Path, data: bytes) -> None:
    bus = WorkerBus(tmp_path)
    receiver = Receiver(bus)
    (own,) = next(tmp_path.iterdir()).iterdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(data, str(own))
        sock.sendto(b'["ps_session", "turn-0001"]', str(own))

    assert receiver.came.wait(5)
    assert receiver.requests == [REQUEST]


def test_folder_that_cannot_be_made_costs_only_the_bus(tmp_path: Path) -> None:
    bus = WorkerBus(tmp_path / "missing")

    bus.listen(lambda _: None)
    bus.send(REQUEST)
