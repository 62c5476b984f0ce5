"""Twice as many as there is room for: the excess hears so at once, the others notice nothing.

Other programs share the machine, so the best of a few runs counts.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise

from tests.live.exchange import Answer, Exchange
from tests.servers.perch import Server
from tests.servers.upstream import Upstream

ROOM = 30
RUNS = 3
WINDOW_S = 1.2
GAP_S = 0.05
AT_ONCE_S = 0.1
HELD = '[[upstream {"tokens": 4000, "gap_ms": 50}]]'


def test_the_excess_is_refused_at_once_and_the_others_keep_their_pace(upstream: Upstream) -> None:
    with Server.over(upstream, MAX_STREAMS=str(ROOM)) as server, ExitStack() as stack:
        streams = [stack.enter_context(server.stream(f"Hi {HELD}")) for _ in range(ROOM)]
        for stream in streams:
            stream.until("token")

        calm = measure(server, streams, crowd=0)
        runs = [measure(server, streams, crowd=2) for _ in range(RUNS)]

    refusals = [each for run in runs for each in run.refusals]
    assert {(each.status, each.json["code"]) for each in refusals} == {(503, "overloaded")}
    assert all(int(each.headers["Retry-After"]) >= 1 for each in refusals)
    assert len(refusals) >= ROOM
    # What the machine itself takes in calm is not the crowd's doing.
    slow_s = 2 * p99([each.took_s for each in calm.health])
    assert min(p99(run.gaps) for run in runs) < max(3 * GAP_S, 2 * p99(calm.gaps))
    for answers in ([run.refusals for run in runs], [run.health for run in runs]):
        assert min(p99([each.took_s for each in run]) for run in answers) < max(AT_ONCE_S, slow_s)


@dataclass(frozen=True)
class Run:
    """What the held streams and those who knock saw."""

    gaps: list[float]
    refusals: list[Answer]
    health: list[Answer]


def measure(server: Server, streams: list[Exchange], *, crowd: int) -> Run:
    """Let a crowd knock for a while."""
    refusals: list[Answer] = []
    health: list[Answer] = []
    until = time.monotonic() + WINDOW_S

    def knock() -> None:
        while time.monotonic() < until:
            refusals.append(server.chat("Hi"))
            time.sleep(0.02)

    def look() -> None:
        while time.monotonic() < until:
            health.append(server.request("GET", "/health"))
            time.sleep(0.02)

    with running(look, *[knock] * crowd), ThreadPoolExecutor(len(streams)) as pool:
        gaps = [gap for found in pool.map(lambda each: read(each, until), streams) for gap in found]
    return Run(gaps, refusals, health)


def read(stream: Exchange, until: float) -> list[float]:
    times = []
    while time.monotonic() < until:
        times.append(stream.next_line().came_at)
    return [after - before for before, after in pairwise(times)]


@contextmanager
def running(*calls: object) -> Iterator[None]:
    threads = [threading.Thread(target=call) for call in calls]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()


def p99(values: list[float]) -> float:
    return sorted(values)[len(values) * 99 // 100]
