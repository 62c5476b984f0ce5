"""What those who come back wait for, and what answers cost that nobody reads.

python -m tests.checker.readers [--turns 1000]
"""

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from signal import SIGKILL

from tests.live.eventually import eventually
from tests.live.turns import TURN, asleep, open_session, stream
from tests.servers.planted_server import PlantedServer
from tests.servers.upstream import Upstream

ATTACHED = 200
RUNS = 5
READERS = 5
GRACE_S = 20.0
AT_ONCE = 16
SETTINGS = {
    "TURN_TIMEOUT_S": "300",
    "MODEL_READ_TIMEOUT_S": "300",
    "LEASE_GRACE_S": "1",
    "MAX_STREAMS": "4000",
}


@dataclass(frozen=True)
class LeftTurns:
    """What one of many turns that were left holds, and when the first and the last one ended."""

    read_kib: float
    left_kib: float
    first_after_s: float
    last_after_s: float

    def __str__(self) -> str:
        return (
            f"{self.read_kib:.1f} KiB each while read, {self.left_kib:.1f} KiB each in grace; "
            f"the first ended {self.first_after_s:.2f} s after it was left, "
            f"the last one {self.last_after_s:.2f} s"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--turns", type=int, default=1000, help="left at the same time")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with running(2) as (server, upstream):
        for name, took_ms in attach_ms(server, upstream).items():
            print(f"Attach, {name}: {_spread(took_ms)} ms", flush=True)
        print(f"Owner killed: {_spread(killed_ms(server, upstream))} ms", flush=True)
    print(f"{options.turns} turns, grace {GRACE_S:.0f} s: {left_turns(options.turns, GRACE_S)}")
    return 0


@contextmanager
def running(workers: int, grace_s: float = GRACE_S) -> Iterator[tuple[PlantedServer, Upstream]]:
    """Run a server that ends nothing by itself but what was left for the grace."""
    with ExitStack() as stack:
        upstream = stack.enter_context(Upstream())
        # In it lie the sockets by which the workers of this server speak.
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="readers-"))
        settings = {**SETTINGS, "TMPDIR": folder, "WEB_CONCURRENCY": str(workers)}
        settings["LEAVE_GRACE_S"] = str(grace_s)
        server = stack.enter_context(PlantedServer.over(upstream, **settings))
        eventually(lambda: len(server.workers) == workers)
        yield server, upstream


def attach_ms(server: PlantedServer, upstream: Upstream) -> dict[str, list[float]]:
    """Return how long it took to the first word, by which worker was asked for it."""
    upstream.script(fault="stall", at=2)
    mine, other = server.workers
    session = open_session(server)
    with asleep(other):
        chat = stream(server, session)
    with chat:
        return {
            name: [_attach_ms(server, session, sleeper) for _ in range(ATTACHED)]
            for name, sleeper in (("same worker", other), ("other worker", mine))
        }


def _attach_ms(server: PlantedServer, session: dict[str, str], sleeper: int) -> float:
    """Read a turn in the worker that does not sleep when the connection is made."""
    connection = HTTPConnection(*server.address, timeout=20)
    with closing(connection):
        with asleep(sleeper):
            connection.request("GET", "/health")
            connection.getresponse().read()
        began = time.monotonic()
        connection.request("GET", f"/v1/turns/{TURN}/stream", headers=session)
        with connection.getresponse() as response:
            while json.loads(response.readline() or b"{}").get("type") != "token":
                pass
            return (time.monotonic() - began) * 1000


def killed_ms(server: PlantedServer, upstream: Upstream) -> list[float]:
    """Return after how long the readers of a killed worker's turns heard of it."""
    upstream.script(fault="stall", at=2)
    took_ms = []
    for _ in range(RUNS):
        session = open_session(server)
        mine, other = server.workers
        with asleep(other):
            chat = stream(server, session)
        with asleep(mine):
            path = f"/v1/turns/{TURN}/stream"
            readers = [server.send("GET", path, **session).begin() for _ in range(READERS)]
        for reader in readers:
            reader.until("token")
        os.kill(mine, SIGKILL)
        killed_at = time.monotonic()
        for reader in readers:
            with reader:
                (line,) = (each for each in reader.lines() if each.type == "error")
            assert (line.event or {})["retryable"], line
            took_ms.append((line.came_at - killed_at) * 1000)
        chat.leave()
        eventually(lambda gone=mine: gone not in server.workers and len(server.workers) == 2)
    return took_ms


def left_turns(count: int, grace_s: float) -> LeftTurns:
    """Leave so many answers at once, and see what they cost until their grace is over."""
    with running(1, grace_s) as (server, upstream):
        server.warm_up()
        upstream.reset()
        upstream.script(fault="stall", at=2)
        before_kib = _memory_kib(server)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            sessions = list(pool.map(lambda _: open_session(server), range(count)))
            chats = list(pool.map(lambda session: stream(server, session), sessions))
        read_kib = _memory_kib(server)
        began_at = time.monotonic()
        for chat in chats:
            chat.leave()
        left_at = time.monotonic()
        # In the middle of the grace nobody reads any more, and all of them are written.
        time.sleep(grace_s / 3)
        assert upstream.open_requests == count
        left_kib = _memory_kib(server)
        assert all(request.left(within_s=grace_s + 5) for request in list(upstream.requests))
    ended_at = [request.ended_at or 0.0 for request in upstream.requests]
    return LeftTurns(
        (read_kib - before_kib) / count,
        (left_kib - before_kib) / count,
        min(ended_at) - began_at,
        max(ended_at) - left_at,
    )


def _memory_kib(server: PlantedServer) -> int:
    rollup = Path(f"/proc/{server.workers[0]}/smaps_rollup").read_text()
    return int(rollup.partition("\nPss:")[2].split()[0])


def _spread(took_ms: Sequence[float]) -> str:
    parts = statistics.quantiles(took_ms, n=100)
    return f"best {min(took_ms):.1f}, median {parts[49]:.1f}, 99 % {parts[98]:.1f}"


if __name__ == "__main__":
    sys.exit(main())
