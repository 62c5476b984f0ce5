"""Figures of one worker, and the files in which all workers of a machine share theirs.

A worker counts in plain memory, at a fraction of a microsecond. Once a second
it posts what it has counted as a small file in memory; whoever is asked adds
up the files. A worker has a slot: the next one in it goes on counting where
the last one stopped, so that nothing is counted twice or forgotten.
"""

import json
import os
import shutil
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

# Never a slow disk: writing happens in the hub.
_PARENT = "/dev/shm" if sys.platform == "linux" else None  # noqa: S108
_PREFIX = "perch-metrics-"

Key = tuple[str, ...]
"""A metric's name, then the values of its labels."""


class Values:
    """What was counted, and what is so right now.

    A histogram's list holds the hits of each class, then the sum.
    """

    def __init__(self) -> None:
        self.counters: dict[Key, float] = {}
        self.histograms: dict[Key, list[float]] = {}
        self.gauges: dict[Key, float] = {}

    def add(self, key: Key, amount: float = 1) -> None:
        """Count."""
        self.counters[key] = self.counters.get(key, 0) + amount

    def observe(self, key: Key, bounds: Sequence[float], value: float) -> None:
        """Count a value in the first class whose bound it keeps; the last one is open."""
        classes = self.histograms.get(key)
        if classes is None:
            classes = self.histograms[key] = [0] * (len(bounds) + 2)
        classes[bisect_left(bounds, value)] += 1
        classes[-1] += value

    def merge(self, other: "Values") -> None:
        """Add another worker's counts; gauges stay apart, for each means something else."""
        for key, amount in other.counters.items():
            self.add(key, amount)
        for key, classes in other.histograms.items():
            mine = self.histograms.get(key, [0] * len(classes))
            self.histograms[key] = [one + two for one, two in zip(mine, classes, strict=True)]


class SharedValues:
    """A directory with two files a slot: its counts, and its gauges while somebody is there."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._written: dict[Path, str] = {}

    def write(self, slot: int, values: Values) -> None:
        """Show a worker's figures."""
        counted = [_to_list(values.counters), _to_list(values.histograms)]
        self._replace(self._directory / f"{slot}.counts", counted)
        self._replace(self._directory / f"{slot}.gauges", _to_list(values.gauges))

    def counts(self, slot: int) -> Values:
        """Return what was counted in a slot so far."""
        values = Values()
        with suppress(FileNotFoundError):
            counters, histograms = json.loads((self._directory / f"{slot}.counts").read_bytes())
            values.counters = {tuple(key): amount for key, amount in counters}
            values.histograms = {tuple(key): classes for key, classes in histograms}
        return values

    def all_counts(self) -> Values:
        """Return the sum over all slots."""
        total = Values()
        for path in self._directory.glob("*.counts"):
            total.merge(self.counts(int(path.stem)))
        return total

    def all_gauges(self) -> dict[Key, list[float]]:
        """Return what the living workers tell."""
        told: dict[Key, list[float]] = {}
        for path in self._directory.glob("*.gauges"):
            with suppress(FileNotFoundError):  # its worker has just left
                for key, value in json.loads(path.read_bytes()):
                    told.setdefault(tuple(key), []).append(value)
        return told

    def leave(self, slot: int) -> None:
        """Forget what was so only while a worker lived."""
        path = self._directory / f"{slot}.gauges"
        path.unlink(missing_ok=True)
        self._written.pop(path, None)

    def remove(self) -> None:
        """Remove the directory."""
        shutil.rmtree(self._directory, ignore_errors=True)

    def _replace(self, path: Path, content: object) -> None:
        text = json.dumps(content)
        if self._written.get(path) != text:
            self._written[path] = text
            half = path.with_suffix(f"{path.suffix}-half")
            half.write_text(text)
            half.replace(path)


@cache
def shared_values() -> SharedValues:
    """Return those of this process and its workers, and remove what dead ones left."""
    parent = Path(_PARENT or tempfile.gettempdir())
    for left_behind in parent.glob(f"{_PREFIX}*"):
        pid = left_behind.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not _is_alive(int(pid)):
            shutil.rmtree(left_behind, ignore_errors=True)
    return SharedValues(Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_PARENT)))


def free_slot(taken: Iterable[int]) -> int:
    """Return the first slot that no living worker has."""
    others = set(taken)
    return next(number for number in range(len(others) + 1) if number not in others)


def _to_list(values: dict[Key, float] | dict[Key, list[float]]) -> list[tuple[Key, object]]:
    return list(values.items())


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
