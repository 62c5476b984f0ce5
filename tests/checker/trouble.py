"""What strikes while visitors ask: one fault after another, each with its own end."""

import os
import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import cycle
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM

from tests.convex_server import ConvexServer
from tests.live.eventually import eventually
from tests.servers.perch import Server
from tests.servers.upstream import Upstream

MODEL_FAULTS = ("cut", "reset", "end", "json", "error_event", "hang", "hang_body")
CONVEX_FAULTS = ("conflict", "tooMany", "internal", "reset", "lost", "hang", "crash")


class Trouble:
    """Strikes a server, its model and its store, by chance."""

    def __init__(
        self,
        server: Server,
        upstream: Upstream,
        convex: ConvexServer | None,
        chance: random.Random,
    ) -> None:
        self._server = server
        self._upstream = upstream
        self._convex = convex
        self._chance = chance
        self.struck: dict[str, int] = {}
        self._rounds = cycle(self._all())

    def strike(self) -> None:
        """Let one thing go wrong, and return when it is over."""
        fault = next(self._rounds)
        name = fault.__name__.strip("_")
        self.struck[name] = self.struck.get(name, 0) + 1
        fault()

    def _all(self) -> list[Callable[[], None]]:
        model, store = self._break_model, self._fail_convex if self._convex else self._lock_sqlite
        # What takes longest comes last, so that a short run sees the rest.
        return [
            *(self._kill_worker, model, store, self._freeze),
            *(self._kill_worker, store, model, store),
            *(self._kill_worker, model, self._restart, self._kill_master),
        ]

    def _break_model(self) -> None:
        self._upstream.script(fault=self._chance.choice(MODEL_FAULTS), at=2)
        time.sleep(self._chance.uniform(0.1, 0.8))
        self._upstream.script()

    def _fail_convex(self) -> None:
        assert self._convex is not None
        self._convex.fail(self._chance.choice(CONVEX_FAULTS))
        time.sleep(self._chance.uniform(0.1, 0.8))
        self._convex.heal()

    def _lock_sqlite(self) -> None:
        path = self._server.environment["SQLITE_PATH"]
        lock = sqlite3.connect(path, isolation_level=None, timeout=0.2)
        with closing(lock), suppress(sqlite3.OperationalError):
            lock.execute("BEGIN EXCLUSIVE")
            time.sleep(self._chance.uniform(0.1, 1.5))
            lock.execute("ROLLBACK")

    def _freeze(self) -> None:
        with suppress(ProcessLookupError, IndexError):
            worker = self._server.workers[0]
            os.kill(worker, SIGSTOP)
            time.sleep(self._chance.uniform(0.1, 0.6))
            os.kill(worker, SIGCONT)

    def _kill_worker(self) -> None:
        with suppress(IndexError):
            self._server.kill_worker()

    def _restart(self) -> None:
        """As a deployment does: SIGTERM, and the next one when it has ended."""
        self._server.signal(SIGTERM)
        self._server.process.wait(20)
        self._start()

    def _kill_master(self) -> None:
        orphans = self._server.workers
        self._server.process.send_signal(SIGKILL)
        self._server.process.wait()
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in orphans), within_s=20)
        self._start()

    def _start(self) -> None:
        self._server.start()
        self._server.wait_until_healthy()
