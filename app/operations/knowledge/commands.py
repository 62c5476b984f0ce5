"""Our own commands, started as processes beside the server."""

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from gevent import subprocess

_MAX_WORDS_BYTES = 400


class Child(Protocol):
    """A process that was started."""

    def wait(self) -> int:
        """Return its exit code, once it has ended."""
        ...

    def last_words(self) -> str:
        """Return what it said last."""
        ...


Spawn = Callable[[Sequence[str]], Child]
"""Starts ``python -m app`` with these words."""


def start_command(words: Sequence[str], stdout: Any, stderr: Any) -> "subprocess.Popen[bytes]":
    """Start one of our own commands, with our settings.

    A Ctrl-C at the server is the server's, and reaches it not.

    Raises:
        OSError: the machine starts no more.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "app", *words],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


class _Process:
    """A command that outlives us: what it says goes to a file, for a pipe would break with us."""

    def __init__(self, words: Sequence[str]) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - read when the process has ended
        self._popen = start_command(words, subprocess.DEVNULL, self._said)

    def wait(self) -> int:
        return int(self._popen.wait())

    def last_words(self) -> str:
        with self._said as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _MAX_WORDS_BYTES))
            return " ".join(file.read().decode("utf-8", "replace").split())


spawn_command: Spawn = _Process
