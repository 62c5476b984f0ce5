"""A real redis-server that tests start late, stop, freeze and restart, on one port."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGCONT, SIGSTOP
from typing import Self

import redis

from tests.live.eventually import eventually
from tests.servers.perch import free_port


class RedisServer:
    """Not started yet; a context manager that ends it in any state."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._directory = tempfile.TemporaryDirectory(prefix="redis-")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._directory.cleanup()

    def start(self) -> Self:
        """Start it, empty, and return when it answers."""
        command = f"redis-server --port {self.port} --bind 127.0.0.1 --save '' --appendonly no"
        self._process = subprocess.Popen(
            ["sh", "-c", f"exec {command}"],
            cwd=self._directory.name,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(self._answers, within_s=10)
        return self

    def stop(self) -> None:
        """End it at once; what it knew is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Let it answer nothing, while connections to it still open."""
        assert self._process is not None
        self._process.send_signal(SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(SIGCONT)

    def client(self) -> "redis.Redis":
        """Return a client of the test's own."""
        return redis.Redis.from_url(self.url, decode_responses=True)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@contextmanager
def running_redis() -> Iterator[str]:
    """Yield the URL of a Redis that runs, and is nobody else's."""
    with RedisServer() as server:
        yield server.start().url
