"""A server that a test can look into: its descriptors, its greenlets, its clock."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from tests.live.eventually import eventually
from tests.servers.perch import ROOT, Server
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import Script

HERE = Path(__file__).parent
COUNT, CLOCK = signal.SIGRTMIN + 1, signal.SIGRTMIN + 2
# Connections that a pool keeps, a timer that runs out: nothing that grows.
SLACK = 3
SETTLE_S = 8.0
WARM_UP = 12


def untroubled(question: str, **fields: Any) -> str:
    """Return a question that is answered like this, whatever the test has scripted."""
    # Every field, because the message's script is laid over the test's own.
    return f"{question} [[upstream {json.dumps(asdict(Script(**fields)))}]]"


@dataclass(frozen=True)
class Footprint:
    """What one worker holds."""

    descriptors: int
    greenlets: int

    def exceeds(self, base: "Footprint") -> bool:
        return (
            self.descriptors > base.descriptors + SLACK or self.greenlets > base.greenlets + SLACK
        )


class PlantedServer(Server):
    """A server with ``planted/sitecustomize.py`` in it."""

    def __init__(self, directory: Path | None = None, **environment: str) -> None:
        super().__init__(directory, **environment)
        self.planted = self.directory / f"planted-{self.port}"
        self.planted.mkdir()
        self.environment["PYTHONPATH"] = f"{HERE / 'planted'}:{ROOT}"
        self.environment["PLANTED_DIRECTORY"] = str(self.planted)
        self.base: Footprint | None = None

    @classmethod
    def over(cls, upstream: Upstream, directory: Path | None = None, **environment: str) -> Self:
        return super().over(upstream, directory, **environment)

    def footprint(self) -> Footprint:
        """Count what the first worker holds now."""
        pid = self.workers[0]
        told = self.planted / f"greenlets-{pid}"
        told.unlink(missing_ok=True)
        os.kill(pid, COUNT)
        eventually(told.exists)
        return Footprint(len(list(Path(f"/proc/{pid}/fd").iterdir())), int(told.read_text()))

    def warm_up(self) -> None:
        """Take into use what is made once, and remember what the worker then holds."""
        with ThreadPoolExecutor(WARM_UP) as pool:  # the store's threads come with the crowd
            for each in range(WARM_UP):
                pool.submit(self.chat, untroubled("Hi"), f"s-warm-{each}")
                pool.submit(self.admin, "/v1/admin/conversations")
        self.base = self.footprint()

    def settle(self) -> None:
        """Return when the worker holds no more than after ``warm_up``; fail if it never does."""
        base = self.base
        assert base is not None, "warm_up comes first"
        found: list[Footprint] = []

        def is_back() -> bool:
            found[:] = [self.footprint()]
            return not found[0].exceeds(base)

        try:
            eventually(is_back, within_s=SETTLE_S)
        except AssertionError:
            raise AssertionError(f"{found[0]} is left of {base}") from None

    def set_clock(self, offset_s: float) -> None:
        """Let the wall clock of master and workers jump."""
        (self.planted / "clock").write_text(str(offset_s))
        for pid in (*self.workers, self.process.pid):
            os.kill(pid, CLOCK)

    def limit(self, resource: int, value: int) -> tuple[int, int]:
        """Set a soft limit of the first worker; returns the former limits."""
        import resource as resources

        pid = self.workers[0]
        former = resources.prlimit(pid, resource)
        resources.prlimit(pid, resource, (value, former[1]))
        return former

    def tracebacks(self) -> list[str]:
        """Return the log's lines that tell of an error that nobody expected."""
        return [line for line in self.log().splitlines() if "Traceback" in line]
