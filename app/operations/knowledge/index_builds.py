"""Has the index of an assistant's documents built by a process of its own.

``python -m app learn --build`` writes it; of all who ask on one machine, one process
builds, and the others wait for it (see ``app/knowledge/building.py``).
"""

import logging
import time
from collections.abc import Callable

import gevent

from app.operations.knowledge.commands import Child, Spawn, spawn_command

log = logging.getLogger(__name__)

_POLL_S = 0.05


class IndexBuilds:
    """Builds of this process, one of an assistant at a time."""

    def __init__(self, spawn: Spawn = spawn_command) -> None:
        self._spawn = spawn
        self._running: dict[str, Child] = {}

    def request(self, assistant: str) -> None:
        """Have an assistant's index built, unless it is being built; returns at once."""
        if self.is_building(assistant):
            return
        try:
            child = self._spawn(["learn", "--build", "--assistant", assistant])
        except OSError as error:
            log.error("The index of %s cannot be built: %s", assistant, error.strerror)
            return
        self._running[assistant] = child
        gevent.spawn(self._wait, assistant, child)

    def is_building(self, assistant: str) -> bool:
        """Tell whether an assistant's index is being built."""
        return assistant in self._running

    def wait_until(self, is_done: Callable[[], bool], patience_s: float) -> bool:
        """Wait for something that builds bring about; false when it took too long, or they fail."""
        until = time.monotonic() + patience_s
        while not (done := is_done()) and self._running and time.monotonic() < until:
            gevent.sleep(_POLL_S)
        return done or is_done()

    def _wait(self, assistant: str, child: Child) -> None:
        code = child.wait()
        words = child.last_words()
        self._running.pop(assistant, None)
        if code:
            log.error("The index of %s was not built (%d): %s", assistant, code, words)
