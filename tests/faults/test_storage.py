"""The store in trouble: a documented error in time; what was acknowledged is there, once."""

import os
import resource
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.convex_server import ConvexServer, convex_server
from tests.faults.conftest import DEADLINES, Elsewhere
from tests.live.eventually import eventually
from tests.live.exchange import Answer
from tests.servers.planted_server import PlantedServer
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import words

# The store's deadline, and a busy machine.
IN_TIME_S = 2.5
SPOOL_S = 8.0
# A question that was stored unheard holds its session so long.
LEASE_S = 9.0
# The model stands still on purpose while the store is struck.
PATIENT = {**DEADLINES, "MODEL_READ_TIMEOUT_S": "5"}
TEXT = "Conversations are not available right now"

# What Convex does to a call → whether the visitor is answered, or told that the store is away.
# A fault without `times` lasts until it is healed.
CONVEX: list[tuple[str, dict[str, Any], bool]] = [
    ("conflicts once", {"kind": "conflict", "times": 1}, True),
    ("conflicts on and on", {"kind": "conflict"}, False),
    ("is asked too much at once", {"kind": "tooMany", "times": 1}, True),
    ("breaks once", {"kind": "internal", "times": 1}, True),
    ("is broken", {"kind": "internal"}, False),
    ("resets once", {"kind": "reset", "times": 1}, True),
    ("loses its answer after the commit", {"kind": "lost", "times": 1}, True),
    ("loses every answer after the commit", {"kind": "lost"}, False),
    ("is slow", {"kind": "delay", "ms": 300}, True),
    ("hangs once", {"kind": "hang", "times": 1}, True),
    ("hangs", {"kind": "hang"}, False),
    ("talks nonsense", {"kind": "garbage"}, False),
    ("refuses the key", {"kind": "badKey"}, False),
    ("has no such function", {"kind": "undeployed"}, False),
    ("throws", {"kind": "crash"}, False),
]
NAMES = [row[0] for row in CONVEX]


@pytest.fixture(scope="module")
def over_convex(session_upstream: Upstream) -> Iterator[PlantedServer]:
    convex = convex_server()
    convex.reset()
    keys = {"CONVEX_URL": convex.url, "CONVEX_DEPLOY_KEY": convex.deploy_key}
    with PlantedServer.over(session_upstream, **keys, **PATIENT) as server:
        server.warm_up()
        yield server
        assert server.tracebacks() == []


@pytest.fixture(scope="module")
def brisk(session_upstream: Upstream) -> Iterator[PlantedServer]:
    with PlantedServer.over(session_upstream, **PATIENT) as server:
        server.warm_up()
        yield server
        assert server.tracebacks() == []


@pytest.fixture
def convex(over_convex: PlantedServer) -> ConvexServer:
    convex = convex_server()
    convex.reset()
    return convex


@pytest.mark.parametrize(("claim", "fault", "answered"), CONVEX, ids=NAMES)
def test_a_question_that_meets_trouble_in_convex(
    over_convex: PlantedServer,
    upstream: Upstream,
    convex: ConvexServer,
    elsewhere: Elsewhere,
    claim: str,
    fault: dict[str, Any],
    answered: bool,
) -> None:
    upstream.script(tokens=3)

    with elsewhere(over_convex):
        convex.fail(path="turns:begin", **fault)
        first = over_convex.chat("Hi", session="s-trouble", turnId="turn-0001")
        convex.heal()
    again = eventually(lambda: answer_of(over_convex), within_s=LEASE_S)

    if answered:
        assert first.status == 200
    else:
        assert (first.status, first.json["code"]) == (503, "storage_unavailable")
        assert first.json["error"] == TEXT
    assert first.took_s < IN_TIME_S
    assert again.json["message"] == words(3)
    assert told(convex) == [("user", "Hi"), ("assistant", words(3))]


@pytest.mark.parametrize(("claim", "fault", "answered"), CONVEX, ids=NAMES)
def test_an_answer_that_meets_trouble_in_convex(
    over_convex: PlantedServer,
    upstream: Upstream,
    convex: ConvexServer,
    elsewhere: Elsewhere,
    claim: str,
    fault: dict[str, Any],
    answered: bool,
) -> None:
    upstream.script(tokens=3, fault="stall", at=2)

    with elsewhere(over_convex):
        with over_convex.stream("Hi", session="s-trouble", turnId="turn-0001") as stream:
            stream.until("token")
            convex.fail(path="turns:finish", **fault)
            upstream.release()
            *_, last = stream.lines()
        convex.heal()
        eventually(lambda: len(told(convex)) == 2, within_s=SPOOL_S)

    assert last.event is not None
    if answered:
        assert (last.type, last.event["message"]) == ("done", words(3))
    else:
        assert (last.type, last.event["code"]) == ("error", "storage_unavailable")
    assert told(convex) == [("user", "Hi"), ("assistant", words(3))]
    assert eventually(lambda: not spooled(over_convex), within_s=SPOOL_S)


def test_nobody_there_is_told_in_time_and_heals(
    over_convex: PlantedServer, upstream: Upstream, convex: ConvexServer, elsewhere: Elsewhere
) -> None:
    with elsewhere(over_convex):
        convex.refuse_connections()
        first = over_convex.chat("Hi", session="s-trouble")
        ready = over_convex.request("GET", "/ready")
        health = over_convex.request("GET", "/health")
        convex.heal()
        again = over_convex.chat("Hi", session="s-trouble")

    assert (first.status, first.json["code"]) == (503, "storage_unavailable")
    assert (ready.status, health.status, again.status) == (503, 200, 200)
    assert max(first.took_s, ready.took_s) < IN_TIME_S


def answer_of(server: PlantedServer) -> Answer | None:
    """Ask the same again as a client does: later, while the turn is said to be running."""
    answer = server.chat("Hi", session="s-trouble", turnId="turn-0001")
    return answer if answer.status != 409 else None


def told(convex: ConvexServer) -> list[tuple[str, str]]:
    """Return what is stored of the one conversation that is not a bystander's."""
    sessions = {each["_id"]: each["sessionId"] for each in convex.documents("conversations")}
    return [
        (each["role"], each["content"])
        for each in convex.documents("messages")
        if sessions.get(each["conversationId"]) == "s-trouble"
    ]


def spooled(server: PlantedServer) -> list[Path]:
    return list((server.directory / "data" / "spool").glob("*.json"))


# --- SQLite ------------------------------------------------------------------------------------


@contextmanager
def locked(server: PlantedServer) -> Iterator[None]:
    lock = sqlite3.connect(server.environment["SQLITE_PATH"], isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        lock.execute("ROLLBACK")
        lock.close()


@contextmanager
def full(server: PlantedServer) -> Iterator[None]:
    """No file can be written, the log included: what a full disk is to a process."""
    former = server.limit(resource.RLIMIT_FSIZE, 0)
    try:
        yield
    finally:
        server.limit(resource.RLIMIT_FSIZE, former[0])


@contextmanager
def damaged(server: PlantedServer) -> Iterator[None]:
    """The file's pages are noise; the whole file is put back at the end."""
    path = Path(server.environment["SQLITE_PATH"])
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.write(os.urandom(len(whole)))
    try:
        yield
    finally:
        with path.open("r+b") as file:
            file.write(whole)


SQLITE: dict[str, Callable[[PlantedServer], Any]] = {
    "is locked": locked,
    "has no room": full,
    "is damaged": damaged,
}


@pytest.mark.parametrize("trouble", SQLITE.values(), ids=SQLITE)
def test_a_question_that_meets_trouble_in_sqlite(
    brisk: PlantedServer,
    upstream: Upstream,
    elsewhere: Elsewhere,
    trouble: Callable[[PlantedServer], Any],
) -> None:
    upstream.script(tokens=3)
    session = f"s-{uuid.uuid4().hex}"

    with elsewhere(brisk):
        with trouble(brisk):
            first = brisk.chat("Hi", session=session, turnId="turn-0001")
            health = brisk.request("GET", "/health")
        again = brisk.chat("Hi", session=session, turnId="turn-0001")

    assert (first.status, first.json["code"]) == (503, "storage_unavailable")
    assert first.json["error"] == TEXT
    assert first.took_s < IN_TIME_S
    assert (health.status, again.status) == (200, 200)
    assert brisk.said(again.json["conversationId"]) == [("user", "Hi"), ("assistant", words(3))]


@pytest.mark.parametrize("trouble", SQLITE.values(), ids=SQLITE)
def test_an_answer_that_meets_trouble_in_sqlite(
    brisk: PlantedServer,
    upstream: Upstream,
    elsewhere: Elsewhere,
    trouble: Callable[[PlantedServer], Any],
) -> None:
    upstream.script(tokens=3, fault="stall", at=2)

    with elsewhere(brisk):
        with brisk.stream("Hi") as stream:
            conversation = stream.next_event()["conversationId"]
            stream.until("token")
            with trouble(brisk):
                upstream.release()
                last = stream.events()[-1]
        eventually(lambda: len(brisk.said(conversation)) == 2, within_s=SPOOL_S)

    assert (last["type"], last["code"]) == ("error", "storage_unavailable")
    assert brisk.said(conversation) == [("user", "Hi"), ("assistant", words(3))]
