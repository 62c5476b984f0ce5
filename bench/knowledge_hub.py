"""By how much the hub of a worker is late while something runs in a thread beside it."""

import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import gevent
from gevent.socket import wait_read

# Another process tells the time each millisecond: a timer of the hub's own is late by up to
# one by itself, for libev rounds up to whole ones.
_TELL = """
import os, struct, time
while True:
    time.sleep(0.001)
    os.write(1, struct.pack("q", time.monotonic_ns()))
"""


def hub_lag_ms(works: Sequence[Callable[[], object]]) -> list[float]:
    """Return how late the hub read what came each millisecond, while works were done in turn."""
    late: list[float] = []
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    telling = subprocess.Popen([sys.executable, "-c", _TELL], stdout=writing)
    os.close(writing)

    def read() -> None:
        while True:
            wait_read(reading)
            told = os.read(reading, 4096)
            now = time.monotonic_ns()
            late.extend((now - each) / 1e6 for (each,) in struct.iter_unpack("q", told))

    reader = gevent.spawn(read)
    while not late:
        gevent.sleep(0.01)
    late.clear()
    for work in works:
        work()
    reader.kill()
    telling.kill()
    telling.wait()
    os.close(reading)
    return late
