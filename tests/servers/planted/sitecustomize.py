"""Planted in a server under test: tells what no socket shows, and bends its clock.

Python imports a ``sitecustomize`` by itself at start; ``tests/servers/planted_server.py`` puts
this one first on the server's path. Nothing of it runs unless a test sends a signal.
"""

import gc
import os
import signal
import time
from pathlib import Path

COUNT, CLOCK = signal.SIGRTMIN + 1, signal.SIGRTMIN + 2
_directory = Path(os.environ["PLANTED_DIRECTORY"])
_real_time, _real_time_ns = time.time, time.time_ns
_offset_s = 0.0


def _count(*_: object) -> None:
    """Write how many greenlets live in this process."""
    import greenlet

    alive = sum(isinstance(each, greenlet.greenlet) and bool(each) for each in gc.get_objects())
    draft = _directory / f"draft-{os.getpid()}"
    draft.write_text(str(alive))
    draft.rename(_directory / f"greenlets-{os.getpid()}")


def _set_clock(*_: object) -> None:
    """Move the wall clock by as many seconds as the file says."""
    global _offset_s
    _offset_s = float((_directory / "clock").read_text())


time.time = lambda: _real_time() + _offset_s
time.time_ns = lambda: _real_time_ns() + int(_offset_s * 1e9)
signal.signal(COUNT, _count)
signal.signal(CLOCK, _set_clock)
