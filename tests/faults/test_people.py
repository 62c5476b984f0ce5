"""The store in trouble while a visitor asks for a person: one handoff, one notice, never none."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.convex_server import ConvexServer, convex_server
from tests.faults.conftest import DEADLINES
from tests.live.exchange import Answer
from tests.servers.perch import WIDGET_KEY
from tests.servers.planted_server import PlantedServer
from tests.servers.upstream import Upstream

# The store's deadline for each of two calls, and a busy machine.
IN_TIME_S = 4.0
SETTINGS = {**DEADLINES, "HUMAN": "on"}
WISH = {"text": "My parcel!", "turnId": "turn-of-the-wish"}
THREAD = [("system", "asked"), ("user", "My parcel!")]

# What Convex does to one of the two calls → whether the visitor hears of it.
CONVEX: list[tuple[str, dict[str, Any], bool]] = [
    ("loses its answer after the commit", {"kind": "lost", "times": 1}, False),
    ("loses every answer after the commit", {"kind": "lost"}, True),
    ("conflicts once", {"kind": "conflict", "times": 1}, False),
    ("is broken", {"kind": "internal"}, True),
    ("hangs", {"kind": "hang"}, True),
]


class Visitor:
    """A visitor with a session of their own."""

    def __init__(self, server: PlantedServer) -> None:
        self._server = server
        opened = server.request("POST", "/v1/session", {}, x_api_key=WIDGET_KEY).json
        self._held = {"authorization": f"Bearer {opened['token']}"}

    def ask(self) -> Answer:
        return self._server.request("POST", "/v1/session/handoff", WISH, **self._held)

    def thread(self) -> list[tuple[str, str]]:
        told = self._server.request("GET", "/v1/session/messages", **self._held).json
        return [(each["role"], each.get("event") or each["content"]) for each in told["messages"]]


def notices(server: PlantedServer) -> list[str]:
    return sorted(each["type"] for each in server.admin("/v1/admin/notices").json["notices"])


@pytest.fixture(scope="module")
def over_convex(session_upstream: Upstream) -> Iterator[PlantedServer]:
    convex = convex_server()
    convex.reset()
    keys = {"CONVEX_URL": convex.url, "CONVEX_DEPLOY_KEY": convex.deploy_key}
    with PlantedServer.over(session_upstream, **keys, **SETTINGS) as server:
        server.warm_up()
        yield server
        assert server.tracebacks() == []


@pytest.fixture
def convex(over_convex: PlantedServer) -> ConvexServer:
    convex = convex_server()
    convex.reset()
    return convex


@pytest.mark.parametrize("path", ["people:handOver", "turns:begin"])
@pytest.mark.parametrize(("claim", "fault", "is_told"), CONVEX, ids=[row[0] for row in CONVEX])
def test_wish_for_a_person_that_meets_trouble_in_convex(
    over_convex: PlantedServer,
    convex: ConvexServer,
    path: str,
    claim: str,
    fault: dict[str, Any],
    is_told: bool,
) -> None:
    visitor = Visitor(over_convex)

    convex.fail(path=path, **fault)
    first = visitor.ask()
    convex.heal()
    again = visitor.ask()

    assert first.took_s < IN_TIME_S
    assert first.status == (503 if is_told else 200)
    assert (again.status, again.json["state"]) == (200, "waiting")
    assert visitor.thread() == THREAD
    assert notices(over_convex) == ["conversation.waiting", "message.created"]


def test_wish_for_a_person_that_meets_a_locked_file(session_upstream: Upstream) -> None:
    with PlantedServer.over(session_upstream, **SETTINGS) as server:
        server.warm_up()
        visitor = Visitor(server)

        with closing(sqlite3.connect(server.environment["SQLITE_PATH"])) as lock:
            lock.execute("BEGIN EXCLUSIVE")
            first = visitor.ask()
        again = [visitor.ask() for _ in range(2)]

        assert first.took_s < IN_TIME_S
        assert (first.status, first.json["code"]) == (503, "storage_unavailable")
        assert [each.json["state"] for each in again] == ["waiting", "waiting"]
        assert visitor.thread() == THREAD
        assert notices(server) == ["conversation.waiting", "message.created"]
