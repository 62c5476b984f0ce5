"""What a worker holds over time, and whether that grows."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from tests.servers.planted_server import PlantedServer

EVERY_S = 5.0
NAMES = ("descriptors", "greenlets", "memory, KiB")
# Shares of a run: what comes before is warming up; then the first and the last part are compared.
WARM_UP, PART = 0.2, 0.25
AT_MOST = 1.05
# Under load a count moves by a few streams.
SLACK = (4, 4, 2048)


@dataclass(frozen=True)
class Sample:
    descriptors: int
    greenlets: int
    memory_kib: int


@dataclass(frozen=True)
class Growth:
    """One resource, at the beginning and at the end of a run."""

    name: str
    first: float
    last: float
    is_flat: bool

    def __str__(self) -> str:
        change = (self.last / self.first - 1) * 100
        return f"{self.name}: {self.first:.0f} → {self.last:.0f} ({change:+.1f} %)"


class Sampler:
    """Looks at the first worker now and then."""

    def __init__(self, server: PlantedServer) -> None:
        self.samples: list[Sample] = []
        self._server = server
        self._next_at = 0.0

    def look(self) -> None:
        """Take a sample, if it is time."""
        if time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + EVERY_S
        held = self._server.footprint()
        rollup = Path(f"/proc/{self._server.workers[0]}/smaps_rollup").read_text()
        memory_kib = int(rollup.partition("\nPss:")[2].split()[0])
        self.samples.append(Sample(held.descriptors, held.greenlets, memory_kib))


def growth(samples: Sequence[Sample]) -> list[Growth]:
    """Compare the beginning of a run with its end, by medians."""
    steady = samples[int(len(samples) * WARM_UP) :]
    size = max(1, int(len(samples) * PART))
    found = []
    for place, name in enumerate(NAMES):
        values = [astuple(sample)[place] for sample in steady]
        first, last = statistics.median(values[:size]), statistics.median(values[-size:])
        is_flat = last <= max(first * AT_MOST, first + SLACK[place])
        found.append(Growth(name, first, last, is_flat))
    return found
