"""How a worker asks, of sidecars that are scripted."""

import itertools
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent import socket
from gevent.event import Event

from app.domain.knowledge import Similarities
from app.knowledge.vectors import configuration as configuration_module
from app.knowledge.vectors.client import SidecarClient
from app.knowledge.vectors.configuration import SidecarConfiguration
from app.knowledge.vectors.wire import from_line, to_line
from tests.clock import Clock

INDEX = Path("/data/default-1.db")
Answers = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


def found(number: int) -> Mapping[str, Any]:
    return {"nearest": [[number, 0.9]], "least": 0.1, "greatest": 0.9, "share": 1.0}


def by_question(request: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The answer to a question that is a number is the passage of that number."""
    return found(int(request["question"]))


class Sidecar:
    """Listens, and answers by a function; ``None`` answers nothing."""

    def __init__(self, path: Path) -> None:
        self.requests: list[Mapping[str, Any]] = []
        self.answer: Answers = by_question
        self.connections: list[Any] = []
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(8)
        self._loop = gevent.spawn(self._accept)

    def _accept(self) -> None:
        while True:
            link, _ = self._listener.accept()
            self.connections.append(link)
            gevent.spawn(self._serve, link)

    def _serve(self, link: Any) -> None:
        with link, link.makefile("rb") as lines:
            for line in lines:
                request = from_line(line)
                self.requests.append(request)
                answer = self.answer(request) if "do" in request else None
                if answer is not None:
                    link.sendall(to_line({"id": request["id"], **answer}))

    def die(self) -> None:
        """Leave a dead socket behind, as one that was killed does."""
        self._loop.kill()
        self._listener.close()
        for link in self.connections:
            with link:
                link.shutdown(socket.SHUT_RDWR)

    def leave(self) -> None:
        self._loop.kill()
        self._listener.close()
        for link in self.connections:
            link.close()


@pytest.fixture
def configuration(short_path: Path) -> SidecarConfiguration:
    return SidecarConfiguration(short_path)


@pytest.fixture
def sidecar(configuration: SidecarConfiguration) -> Iterator[Sidecar]:
    sidecar = Sidecar(configuration.socket_path)
    yield sidecar
    sidecar.leave()


@pytest.fixture
def spawned() -> list[float]:
    return []


@pytest.fixture
def nearest(
    configuration: SidecarConfiguration, clock: Clock, spawned: list[float]
) -> Iterator[SidecarClient]:
    """Waits long, unless a test is about that; the fixture's clock tells its pauses."""
    client = SidecarClient(
        configuration, lambda: spawned.append(clock()), deadline_s=5, clock=clock
    )
    yield client
    client.close()


def test_answer_is_that_of_the_sidecar(
    nearest: SidecarClient, sidecar: Sidecar, configuration: SidecarConfiguration
) -> None:
    assert nearest(INDEX, "7", 20) == Similarities(((7, 0.9),), 0.1, 0.9, 1.0)
    assert sidecar.requests == [
        {"hello": configuration.fingerprint},
        {"id": 1, "do": "nearest", "index": "default-1.db", "question": "7", "k": 20,
         "withinMs": 5000},
    ]  # fmt: skip


def test_questions_at_once_share_a_connection_and_get_their_own_answers(
    nearest: SidecarClient, sidecar: Sidecar
) -> None:
    asked = [gevent.spawn(nearest, INDEX, str(number), 1) for number in range(20)]

    gevent.joinall(asked)

    assert [each.value.nearest[0][0] for each in asked] == list(range(20))
    assert len(sidecar.connections) == 1


def test_late_answer_is_not_taken_for_that_of_the_next_question(
    configuration: SidecarConfiguration, sidecar: Sidecar
) -> None:
    release = Event()

    def slow_at_first(request: Mapping[str, Any]) -> Mapping[str, Any]:
        if request["question"] == "1":
            release.wait()
        return by_question(request) or {}

    sidecar.answer = slow_at_first
    client = SidecarClient(configuration, lambda: None, deadline_s=0.02)

    first = client(INDEX, "1", 1)
    gevent.spawn_later(0.005, release.set)
    client = _with_deadline(client, 5)
    second = client(INDEX, "2", 1)

    assert first is None
    assert second is not None
    assert second.nearest == ((2, 0.9),)
    client.close()


def _with_deadline(client: SidecarClient, deadline_s: float) -> SidecarClient:
    client._deadline_s = deadline_s
    return client


def test_hung_sidecar_costs_the_deadline_thrice_and_then_nothing_for_a_while(
    configuration: SidecarConfiguration, sidecar: Sidecar, clock: Clock
) -> None:
    sidecar.answer = lambda _request: None
    client = SidecarClient(configuration, lambda: None, deadline_s=0.02, clock=clock)

    for _ in range(10):
        assert client(INDEX, "1", 1) is None

    asked = [each for each in sidecar.requests if "do" in each]
    assert len(asked) == 3
    clock.advance(0.6)
    sidecar.answer = by_question
    assert _with_deadline(client, 5)(INDEX, "4", 1) is not None
    client.close()


def test_deadline_is_60_ms_and_150_for_a_server_elsewhere(
    configuration: SidecarConfiguration, sidecar: Sidecar
) -> None:
    for each in (configuration, replace(configuration, base_url="http://e/v1")):
        client = SidecarClient(each, lambda: None)
        client(INDEX, "1", 1)
        client.close()

    assert [each["withinMs"] for each in sidecar.requests if "do" in each] == [60, 150]


@pytest.mark.slow
def test_hub_goes_on_while_a_question_waits(
    configuration: SidecarConfiguration, sidecar: Sidecar
) -> None:
    sidecar.answer = lambda _request: None
    client = SidecarClient(configuration, lambda: None, deadline_s=0.1)
    ticks = []

    def tick() -> None:
        while True:
            ticks.append(time.monotonic())
            gevent.sleep(0.001)

    ticker = gevent.spawn(tick)
    client(INDEX, "1", 1)
    ticker.kill()

    assert len(ticks) > 5
    client.close()


def test_absent_sidecar_is_started_after_ten_seconds_again_and_then_more_seldom(
    nearest: SidecarClient, clock: Clock, spawned: list[float]
) -> None:
    begin = clock()
    for _ in range(200):
        assert nearest(INDEX, "1", 1) is None
        clock.advance(0.5)

    gaps = [later - before for before, later in itertools.pairwise(spawned)]
    assert spawned[0] == begin
    assert len(gaps) == 2
    assert gaps[0] >= 20 <= gaps[1] / 2


def test_sidecar_that_was_killed_is_started_by_the_next_question(
    configuration: SidecarConfiguration,
    nearest: SidecarClient,
    sidecar: Sidecar,
    clock: Clock,
    spawned: list[float],
) -> None:
    assert nearest(INDEX, "1", 1) is not None
    sidecar.die()

    assert nearest(INDEX, "2", 1) is None
    clock.advance(1)
    assert nearest(INDEX, "3", 1) is None
    assert len(spawned) == 1

    configuration.socket_path.unlink()
    another = Sidecar(configuration.socket_path)
    clock.advance(10)
    answer = nearest(INDEX, "4", 1)
    another.leave()
    assert answer is not None
    assert answer.nearest == ((4, 0.9),)


def test_pauses_grow_to_eight_seconds(nearest: SidecarClient, clock: Clock) -> None:
    pauses = []
    for _ in range(7):
        nearest(INDEX, "1", 1)
        pauses.append(nearest._paused_until - clock())
        clock.advance(pauses[-1])

    assert pauses == [0.5, 1, 2, 4, 8, 8, 8]


def test_outage_is_logged_once_and_its_end(
    nearest: SidecarClient,
    configuration: SidecarConfiguration,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(20):
        nearest(INDEX, "my secret question", 1)
        clock.advance(10)
    sidecar = Sidecar(configuration.socket_path)
    for number in range(3):
        nearest(INDEX, str(number), 1)
    sidecar.leave()

    assert caplog.messages == [
        "The sidecar of vectors is not there: pages are found by words alone",
        "The sidecar of vectors answers again",
    ]


@pytest.mark.parametrize(
    "answer",
    [
        {"refused": "busy"},
        {},
        {"nearest": [[1]], "least": 0, "greatest": 1, "share": 1},
        {"nearest": None, "least": 0, "greatest": 1, "share": 1},
    ],
)
def test_refusal_and_nonsense_are_no_answer_and_no_outage(
    nearest: SidecarClient, sidecar: Sidecar, answer: Mapping[str, Any]
) -> None:
    sidecar.answer = lambda _request: answer

    assert [nearest(INDEX, "1", 1) for _ in range(5)] == [None] * 5
    sidecar.answer = by_question
    assert nearest(INDEX, "2", 1) is not None
    assert len(sidecar.connections) == 1


def test_line_that_is_no_json_ends_the_connection_at_once(
    nearest: SidecarClient, sidecar: Sidecar
) -> None:
    def garble(_request: Mapping[str, Any]) -> None:
        sidecar.connections[0].sendall(b"nonsense\n")

    sidecar.answer = garble

    assert nearest(INDEX, "1", 1) is None


@pytest.mark.slow
def test_sidecar_that_never_reads_blocks_nobody(
    configuration: SidecarConfiguration, clock: Clock
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(configuration.socket_path))
        listener.listen(1)
        client = SidecarClient(configuration, lambda: None, deadline_s=0.001, clock=clock)
        for _ in range(200):
            assert client(INDEX, "q" * 4000, 1) is None
            clock.advance(10)
        client.close()


def test_without_the_package_nothing_is_tried_and_it_is_said_once(
    configuration: SidecarConfiguration,
    sidecar: Sidecar,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(configuration_module, "find_spec", lambda _name: None)
    caplog.set_level(logging.INFO)
    spawned: list[int] = []
    client = SidecarClient(configuration, lambda: spawned.append(1))

    assert [client(INDEX, "1", 1) for _ in range(3)] == [None] * 3
    client.prepare(INDEX)

    assert client.status() is None
    assert (spawned, sidecar.requests) == ([], [])
    assert caplog.messages == ["The extra vectors is not installed: pages are found by words alone"]


def test_status_and_preparing_are_asked_for(nearest: SidecarClient, sidecar: Sidecar) -> None:
    status = {
        "model": "m", "rss_bytes": 1, "uptime_s": 2.0, "answered": 3, "late": 0, "refused": 0,
        "indexes": [{"name": "a-1.db", "passages": 9, "embedded": 4, "problem": None}],
    }  # fmt: skip
    sidecar.answer = lambda request: {"status": status} if request["do"] == "status" else None

    nearest.prepare(INDEX)
    gevent.idle()
    told = nearest.status()

    assert [each.get("do") for each in sidecar.requests] == [None, "prepare", "status"]
    assert told is not None
    assert told.is_busy


@pytest.mark.slow
def test_index_is_prepared_once_the_sidecar_that_it_started_is_there(
    configuration: SidecarConfiguration,
) -> None:
    spawned: list[Sidecar] = []
    client = SidecarClient(
        configuration, lambda: spawned.append(Sidecar(configuration.socket_path))
    )

    client.prepare(INDEX)
    with gevent.Timeout(5):
        while not spawned or len(spawned[0].requests) < 2:
            gevent.sleep(0.01)

    assert spawned[0].requests[1] == {"do": "prepare", "index": "default-1.db"}
    client.close()
    spawned[0].leave()


@pytest.mark.slow
def test_sidecar_that_is_too_slow_keeps_its_connection(
    configuration: SidecarConfiguration, sidecar: Sidecar, clock: Clock
) -> None:
    sidecar.answer = lambda _request: None
    client = SidecarClient(configuration, lambda: None, deadline_s=0.01, clock=clock)
    for _ in range(10):
        client(INDEX, "1", 1)
        clock.advance(3)

    assert len(sidecar.connections) == 1
    client.close()
