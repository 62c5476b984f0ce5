"""Processes on a core of their own: started, watched through ``/proc``, ended."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

# One core for the server under test, the other for everything around it.
SERVER_CORE, OTHER_CORE = 0, 1
# On a shared machine, where we may: ahead of the neighbours.
NICENESS = -10
STOP_S = 5.0


class Process:
    """A process group, pinned to a core; a context manager that ends it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        core: int,
        environment: Mapping[str, str] | None = None,
        output: IO[bytes] | int = subprocess.DEVNULL,
        directory: Path | None = None,
    ) -> None:
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            stdout=output,
            stderr=None if output == subprocess.PIPE else output,
            cwd=directory,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.stdout = self._process.stdout
        with contextlib.suppress(OSError):
            os.sched_setaffinity(self.pid, {core % (os.cpu_count() or 1)})
            os.setpriority(os.PRIO_PROCESS, self.pid, NICENESS)
            Path(f"/proc/{self.pid}/autogroup").write_text(str(NICENESS))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def read_all(self) -> bytes:
        """Wait for its end, and return what it said."""
        return self._process.communicate()[0] or b""


def tree(root: int) -> list[int]:
    """Return a process and its descendants."""
    found = [root]
    for pid in found:
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found.extend(map(int, path.read_text().split()))
    return found


def cpu_s(root: int) -> float:
    """Return the CPU time of a process tree, by the scheduler's own clock."""
    total = 0
    for pid in tree(root):
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                total += int(path.read_text().split()[0])
    return total / 1e9


def pss_kib(root: int) -> int:
    """Return the memory of a process tree, what is shared counted once."""
    total = 0
    for pid in tree(root):
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(rollup.partition("\nPss:")[2].split()[0])
    return total
