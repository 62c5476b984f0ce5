"""The figures of several workers, over their deaths and to their end."""

import contextlib
import os
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from signal import SIGHUP, SIGKILL, SIGTERM

import pytest

from tests.live.eventually import eventually
from tests.live.exchange import Exchange, request_bytes
from tests.servers.perch import ADMIN_KEY, Server, free_port
from tests.servers.upstream import Upstream

WORKERS = 2
DONE = 'perch_turns_total{outcome="done",protocol="json"}'


@pytest.fixture(scope="module")
def session_several(session_upstream: Upstream) -> Iterator[Server]:
    private = f"127.0.0.1:{free_port()}"
    with Server.over(
        session_upstream, WEB_CONCURRENCY=str(WORKERS), METRICS_BIND=private
    ) as server:
        yield server


@pytest.fixture
def several(session_several: Server, upstream: Upstream) -> Server:
    """A server with two workers, both of them there."""
    eventually(lambda: scrape(session_several).get("perch_workers") == WORKERS, within_s=20)
    return session_several


def scrape(server: Server) -> dict[str, float]:
    answer = server.request("GET", "/metrics", authorization=f"Bearer {ADMIN_KEY}")
    lines = [line for line in answer.body.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def scrape_if_up(server: Server) -> dict[str, float]:
    with contextlib.suppress(OSError, HTTPException):
        return scrape(server)
    return {}


def boards(server: Server) -> list[Path]:
    return list(Path("/dev/shm").glob(f"perch-metrics-{server.process.pid}-*"))


def test_any_worker_answers_for_all(several: Server) -> None:
    before = scrape(several).get(DONE, 0)

    for number in range(8):
        several.chat(f"Question {number}")

    eventually(lambda: scrape(several).get(DONE) == before + 8)


def test_a_killed_worker_takes_no_count_with_it(several: Server, upstream: Upstream) -> None:
    before = scrape(several).get(DONE, 0)
    several.chat("Hi")
    eventually(lambda: scrape(several).get(DONE) == before + 1)
    upstream.script(fault="stall", at=1)
    streams = [several.stream(f"Question {number}") for number in range(4)]
    eventually(lambda: scrape(several).get("perch_running_turns") == 4)

    for worker in several.workers:
        os.kill(worker, SIGKILL)

    eventually(lambda: scrape_if_up(several).get("perch_running_turns") == 0, within_s=20)
    eventually(lambda: scrape(several).get("perch_workers") == WORKERS, within_s=20)
    assert scrape(several)[DONE] == before + 1
    for stream in streams:
        stream.leave()


def test_a_reload_goes_on_counting(several: Server) -> None:
    before = scrape(several).get(DONE, 0)
    several.chat("Hi")
    workers = several.workers

    several.signal(SIGHUP)

    eventually(lambda: not set(workers) & set(several.workers), within_s=20)
    assert scrape(several)[DONE] == before + 1
    assert len(boards(several)) == 1


def test_the_private_port_needs_no_key(several: Server) -> None:
    host, _, port = several.environment["METRICS_BIND"].partition(":")
    private = (host, int(port))
    ask = request_bytes("GET", "/metrics", {}, None)
    chat = request_bytes("POST", "/v1/chat", {"content-type": "application/json"}, b"{}")

    assert b"perch_workers " in Exchange(private, ask).answer().body
    assert Exchange(private, chat).answer().status == 404
    assert Exchange(several.address, ask).answer().status == 401


def test_nothing_is_left_in_memory(upstream: Upstream) -> None:
    with Server.over(upstream) as killed:
        left_behind = boards(killed)
    assert left_behind[0].is_dir()

    with Server.over(upstream) as server:
        assert not left_behind[0].exists()

        server.signal(SIGTERM)

        assert server.process.wait(10) == 0
        assert boards(server) == []
