"""A real Redis in a process of its own, empty and without a file."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.live.eventually import eventually
from tests.live.server import free_port


@contextmanager
def running_redis() -> Iterator[str]:
    """Yield the url of a fresh redis-server."""
    port = free_port()
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp"],
        stdout=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: answers(port))
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    ping = ["redis-cli", "-p", str(port), "ping"]
    return b"PONG" in subprocess.run(ping, capture_output=True, check=False).stdout
