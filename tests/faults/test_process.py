"""The process in trouble: what was acknowledged is there, once, and the next worker goes on."""

import os
import resource
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Any

import pytest

from tests.faults.bystander import Bystander
from tests.faults.conftest import DEADLINES, Elsewhere
from tests.live.eventually import eventually
from tests.live.exchange import Answer, Exchange
from tests.servers.perch import Server
from tests.servers.planted_server import PlantedServer
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import words

# A killed worker's lease, and the start of the next one.
LEASE = {"TURN_TIMEOUT_S": "1.5", "LEASE_GRACE_S": "0.3", "BUSY_WAIT_S": "0.2"}
RECOVERY_S = 12.0
CROWD = 40


class Scene:
    """Turns that stand still, each at one step, in a session of its name."""

    def __init__(self, server: Server, upstream: Upstream, stack: ExitStack) -> None:
        self.server, self.upstream = server, upstream
        self._stack = stack
        self._lock: sqlite3.Connection | None = None

    def open(self, step: str, **script: Any) -> Exchange:
        self.upstream.next(**script)
        return self._stack.enter_context(self.server.stream("Hi", **turn_of(step)))

    def ask_in_vain(self, step: str) -> None:
        """Ask, and wait for nothing."""

        def ask() -> None:
            with suppress(OSError, AssertionError, ValueError):
                self.server.chat("Hi", **turn_of(step))

        asked = threading.Thread(target=ask, daemon=True)
        asked.start()
        self._stack.callback(asked.join, 10)

    def lock_store(self) -> None:
        self._lock = sqlite3.connect(self.server.environment["SQLITE_PATH"], isolation_level=None)
        self._lock.execute("BEGIN EXCLUSIVE")

    def unlock_store(self) -> None:
        if self._lock is not None:
            self._lock.execute("ROLLBACK")
            self._lock.close()


def after_the_answer(scene: Scene, step: str) -> None:
    assert scene.open(step, tokens=4).events()[-1]["type"] == "done"


def before_the_model_answers(scene: Scene, step: str) -> None:
    assert scene.open(step, fault="hang").next_event()["type"] == "start"


def in_the_middle_of_the_answer(scene: Scene, step: str) -> None:
    stream = scene.open(step, tokens=4, gap_ms=60_000)
    assert [stream.next_event()["type"] for _ in range(2)] == ["start", "token"]


def while_the_answer_is_stored(scene: Scene, step: str) -> None:
    stream = scene.open(step, tokens=3, fault="stall", at=2)
    assert [stream.next_event()["type"] for _ in range(3)] == ["start", "token", "token"]
    scene.lock_store()
    scene.upstream.release()
    assert stream.next_event()["type"] == "token"


def before_the_question_is_stored(scene: Scene, step: str) -> None:
    scene.ask_in_vain(step)
    time.sleep(0.3)  # nothing outside tells that a request waits for the lock


# In this order: from the last but one on, the store is locked.
STEPS: tuple[Callable[[Scene, str], None], ...] = (
    after_the_answer,
    before_the_model_answers,
    in_the_middle_of_the_answer,
    while_the_answer_is_stored,
    before_the_question_is_stored,
)
NAMES = [step.__name__ for step in STEPS]


def turn_of(step: str) -> dict[str, str]:
    return {"session": f"s-{step}", "turnId": f"turn-{step}"}


def kill_worker(server: Server) -> None:
    server.kill_worker()


def kill_master(server: Server) -> None:
    """Kill the master, and start the next one as a platform would."""
    orphans = server.workers
    server.process.send_signal(SIGKILL)
    server.process.wait()
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in orphans), within_s=10)
    server.start()
    server.wait_until_healthy()


KILLS = {"worker": kill_worker, "master": kill_master}


@pytest.fixture(scope="module")
def brisk(session_upstream: Upstream) -> Iterator[PlantedServer]:
    """A server with short deadlines, which runs out of memory in between."""
    with PlantedServer.over(session_upstream, **DEADLINES) as server:
        server.warm_up()
        yield server


@contextmanager
def mortal(upstream: Upstream, **environment: str) -> Iterator[PlantedServer]:
    settings = {"GRACEFUL_TIMEOUT": "2", **LEASE, **environment}
    with PlantedServer.over(upstream, **settings) as server:
        yield server


def ask_until_answered(server: Server, **fields: Any) -> Answer:
    """Send the same turn as a client does: again, until it is answered."""

    def ask() -> Answer | None:
        with suppress(OSError, ValueError, AssertionError):
            answer = server.chat("Hi", **fields)
            return answer if answer.status == 200 else None
        return None

    return eventually(ask, within_s=RECOVERY_S)


@pytest.mark.parametrize("kill", KILLS.values(), ids=KILLS)
def test_a_turn_that_is_killed_at_any_step_is_answered_once(
    upstream: Upstream, kill: Callable[[Server], None]
) -> None:
    upstream.script(tokens=4)
    with mortal(upstream) as server, ExitStack() as stack:
        scene = Scene(server, upstream, stack)
        for step in STEPS:
            step(scene, step.__name__)

        kill(server)
        scene.unlock_store()
        answers = {name: ask_until_answered(server, **turn_of(name)) for name in NAMES}
        said = {name: server.said(each.json["conversationId"]) for name, each in answers.items()}

    assert said == {name: [("user", "Hi"), ("assistant", words(4))] for name in NAMES}


def test_a_master_that_is_killed_lets_its_streams_end(upstream: Upstream) -> None:
    upstream.script(tokens=4, fault="stall", at=2)
    with mortal(upstream, TURN_TIMEOUT_S="20", GRACEFUL_TIMEOUT="8") as server:
        streams = [server.stream("Hi") for _ in range(5)]
        for stream in streams:
            assert [stream.next_event()["type"] for _ in range(3)] == ["start", "token", "token"]

        os.kill(server.process.pid, SIGKILL)
        upstream.release()
        last = [stream.events()[-1] for stream in streams]

    assert [(event["type"], event["message"]) for event in last] == [("done", words(4))] * 5


def test_a_blocked_hub_delays_its_streams_and_loses_nothing(upstream: Upstream) -> None:
    with mortal(upstream, TURN_TIMEOUT_S="20") as server, Bystander(server, longest_gap_s=4):
        worker = server.workers[0]
        os.kill(worker, SIGSTOP)
        time.sleep(1)
        os.kill(worker, SIGCONT)

        assert server.chat('Hi [[upstream {"tokens": 4}]]').json["message"] == words(4)


def test_a_hub_that_stays_blocked_is_replaced(upstream: Upstream) -> None:
    upstream.script(tokens=4)
    with mortal(upstream, GUNICORN_CMD_ARGS="--timeout 2") as server, ExitStack() as stack:
        in_the_middle_of_the_answer(Scene(server, upstream, stack), "blocked")
        blocked = server.workers[0]
        os.kill(blocked, SIGSTOP)

        eventually(lambda: server.workers and blocked not in server.workers, within_s=10)
        answer = ask_until_answered(server, **turn_of("blocked"))
        said = server.said(answer.json["conversationId"])

    assert said == [("user", "Hi"), ("assistant", words(4))]


def test_a_worker_without_descriptors_goes_on_when_it_has_some(
    brisk: PlantedServer, upstream: Upstream, elsewhere: Elsewhere
) -> None:
    upstream.script(tokens=4)
    with elsewhere(brisk):
        held = brisk.footprint().descriptors
        former = brisk.limit(resource.RLIMIT_NOFILE, held + 1)
        try:
            refused = [one_more(brisk) for _ in range(3)]
        finally:
            brisk.limit(resource.RLIMIT_NOFILE, former[0])
        answer = ask_until_answered(brisk, session="s-descriptors")

    assert set(refused) <= {None, 200, 502, 503}
    assert answer.json["message"] == words(4)


def one_more(server: Server) -> int | None:
    """Ask, and return the status; ``None`` where no connection is taken."""
    with suppress(OSError):
        body = {"sessionId": f"s-{uuid.uuid4().hex}", "message": "Hi"}
        key = server.environment["WIDGET_API_KEY"]
        return server.send("POST", "/v1/chat", body, timeout_s=2, x_api_key=key).answer().status
    return None


def test_a_worker_without_memory_says_so_and_goes_on(
    brisk: PlantedServer, upstream: Upstream, elsewhere: Elsewhere
) -> None:
    upstream.script(tokens=["y" * 1000] * 190, batch=10)
    with elsewhere(brisk):
        status = Path(f"/proc/{brisk.workers[0]}/status").read_text()
        used = int(status.partition("VmSize:")[2].split()[0]) * 1024
        former = brisk.limit(resource.RLIMIT_AS, used)
        try:
            with ThreadPoolExecutor(CROWD) as pool:
                statuses = set(pool.map(lambda _: one_more(brisk), range(CROWD)))
        finally:
            brisk.limit(resource.RLIMIT_AS, former[0])
        upstream.script(tokens=4)
        answer = ask_until_answered(brisk, session="s-memory")

    assert statuses <= {None, 200, 500, 502, 503}
    assert answer.json["message"] == words(4)


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0], ids=["forth", "back"])
def test_a_clock_that_jumps_moves_no_stream(
    brisk: PlantedServer, upstream: Upstream, elsewhere: Elsewhere, jump_s: float
) -> None:
    upstream.script(tokens=4, fault="stall", at=2)
    with elsewhere(brisk), brisk.stream("Hi") as stream:
        stream.until("token")
        brisk.set_clock(jump_s)
        try:
            upstream.release()
            events = stream.events()
        finally:
            brisk.set_clock(0)

    assert [event["type"] for event in events] == ["token", "token", "token", "done"]
    assert brisk.said(events[-1]["conversationId"]) == [("user", "Hi"), ("assistant", words(4))]


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0], ids=["forth", "back"])
def test_a_clock_that_jumps_keeps_the_order_of_turns(
    brisk: PlantedServer, upstream: Upstream, jump_s: float
) -> None:
    upstream.script(tokens=4)
    session = f"s-clock-{jump_s}"
    try:
        for number in range(3):
            brisk.set_clock(jump_s if number == 1 else 0)
            answer = brisk.chat(f"Question {number}", session=session)
    finally:
        brisk.set_clock(0)

    said = brisk.said(answer.json["conversationId"])
    assert [content for role, content in said if role == "user"] == [
        "Question 0",
        "Question 1",
        "Question 2",
    ]
    assert [role for role, _ in said] == ["user", "assistant"] * 3


def test_a_clock_that_goes_back_holds_no_session(upstream: Upstream) -> None:
    upstream.script(tokens=4)
    with mortal(upstream) as server, ExitStack() as stack:
        in_the_middle_of_the_answer(Scene(server, upstream, stack), "clock")
        server.kill_worker()
        server.wait_until_healthy()
        server.set_clock(-3600)

        answer = ask_until_answered(server, **turn_of("clock"))

    assert answer.json["message"] == words(4)
