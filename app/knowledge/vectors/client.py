"""How a worker asks the sidecar: over one connection, within a deadline."""

import itertools
import logging
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import gevent
from gevent import socket
from gevent.event import AsyncResult

from app.domain.knowledge import Similarities
from app.knowledge.vectors.configuration import SidecarConfiguration
from app.knowledge.vectors.wire import (
    MAX_NEAREST,
    MAX_QUESTION_CHARS,
    SidecarStatus,
    from_line,
    similarities_of,
    status_of,
    to_line,
)

log = logging.getLogger(__name__)

DEADLINE_S = 0.06
# A server elsewhere takes that long for the way alone.
SERVER_DEADLINE_S = 0.15
_STATUS_DEADLINE_S = 1.0
_SPAWN_EVERY_S = 10.0
# Where it ends each time, its log need not repeat that every ten seconds.
_LONGEST_SPAWN_EVERY_S = 600.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 8.0
# So many answers in a row that came too late, or not at all, are a failure like a dead socket.
_MISSES = 3
# Within a minute or two, a sidecar has started or never will.
_PREPARE_TRIES = 12
_AT_ONCE_BYTES = 64 * 1024
_MAX_ANSWER_BYTES = 1024 * 1024

Answer = Mapping[str, Any] | None


class Nearest(Protocol):
    """Finds passages by meaning; what finding by words is mixed with."""

    def __call__(self, index_path: Path, question: str, k: int) -> Similarities | None:
        """Return the ``k`` passages (at most 500) of an index file that are nearest.

        Waits for the deadline at most, and raises nothing: ``None`` where there is no
        sidecar, no answer in time, or no vectors yet.
        """
        ...


class SidecarClient:
    """One worker's connection to the sidecar; made anew where it broke, after a pause.

    For greenlets of one thread. Connects at the first question, so it may be made before a fork.
    ``spawn`` starts a sidecar: it must not block, and is called every 10 s at most,
    and ever more seldom while none answers.
    """

    def __init__(
        self,
        configuration: SidecarConfiguration,
        spawn: Callable[[], object],
        *,
        deadline_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if deadline_s is None:
            deadline_s = SERVER_DEADLINE_S if configuration.base_url else DEADLINE_S
        self._configuration = configuration
        self._spawn = spawn
        self._deadline_s = deadline_s
        self._clock = clock
        self._connection: _Connection | None = None
        self._paused_until = self._spawned_at = float("-inf")
        self._failures = self._misses = self._spawns = 0
        self.is_possible = configuration.is_possible
        if not self.is_possible:
            log.info("The extra vectors is not installed: pages are found by words alone")

    def __call__(self, index_path: Path, question: str, k: int) -> Similarities | None:
        """See ``Nearest``."""
        request = {
            "do": "nearest", "index": index_path.name, "question": question[:MAX_QUESTION_CHARS],
            "k": min(k, MAX_NEAREST), "withinMs": round(self._deadline_s * 1000),
        }  # fmt: skip
        answer = self._ask(request, self._deadline_s)
        if answer is None or "refused" in answer:
            return None
        with suppress(KeyError, TypeError, ValueError):
            return similarities_of(answer)
        return None

    def prepare(self, index_path: Path) -> None:
        """Let an index file be embedded before the first question about it. Does not wait."""
        gevent.spawn(self._prepare, index_path.name)

    def _prepare(self, index: str) -> None:
        for _ in range(_PREPARE_TRIES):
            connection = self._connect()
            if connection is not None:
                connection.send({"do": "prepare", "index": index})
            if connection is not None or not self.is_possible:
                return
            gevent.sleep(max(self._paused_until - self._clock(), _FIRST_PAUSE_S))

    def status(self) -> SidecarStatus | None:
        """Return what the sidecar is at, within a second; ``None`` where none answers."""
        answer = self._ask({"do": "status"}, _STATUS_DEADLINE_S)
        with suppress(KeyError, TypeError):
            return status_of(answer) if answer else None
        return None

    def close(self) -> None:
        """Leave the sidecar, which goes on for others."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, request: Mapping[str, Any], deadline_s: float) -> Answer:
        connection = self._connect()
        if connection is None:
            return None
        answer = connection.ask(request, deadline_s)
        if answer is not None:
            if self._failures:
                log.info("The sidecar of vectors answers again")
            self._failures = self._misses = self._spawns = 0
            return answer
        if connection is self._connection:  # or another greenlet has noted it already
            self._misses += 1
            if not connection.is_open or self._misses >= _MISSES:
                # One that is open stays: without any, the sidecar would end.
                self._fail("does not answer")
        return None

    def _connect(self) -> "_Connection | None":
        now = self._clock()
        if not self.is_possible or now < self._paused_until:
            return None
        if self._connection is not None and self._connection.is_open:
            return self._connection
        self.close()
        try:
            self._connection = _Connection(self._configuration)
        except OSError as error:
            # Absent, or left behind by one that was killed. One that is too busy to accept lives.
            if isinstance(error, FileNotFoundError | ConnectionRefusedError):
                self._start_one(now)
            self._fail("is not there")
            return None
        return self._connection

    def _start_one(self, now: float) -> None:
        every_s = min(_SPAWN_EVERY_S * 2**self._spawns, _LONGEST_SPAWN_EVERY_S)
        if now - self._spawned_at >= every_s:
            self._spawned_at = now
            self._spawns = min(self._spawns + 1, 10)
            self._spawn()

    def _fail(self, what: str) -> None:
        pause_s = min(_FIRST_PAUSE_S * 2**self._failures, _LONGEST_PAUSE_S)
        self._paused_until = self._clock() + pause_s
        self._misses = 0
        self._failures = min(self._failures + 1, 10)
        if self._failures == _MISSES:  # the first is the start of a sidecar
            log.warning("The sidecar of vectors %s: pages are found by words alone", what)


class _Connection:
    """A connection, and who waits for which answer. One that nobody waits for any more is dropped.

    Raises ``OSError`` where nobody listens.
    """

    def __init__(self, configuration: SidecarConfiguration) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._ids = itertools.count(1)
        self._waiting: dict[int, AsyncResult[Answer]] = {}
        self.is_open = True
        try:
            self._socket.settimeout(0.0)
            self._socket.connect(str(configuration.socket_path))
            self._socket.settimeout(None)
        except OSError:
            self._socket.close()
            raise
        self._reader = gevent.spawn(self._read)
        self.send({"hello": configuration.fingerprint})

    def send(self, request: Mapping[str, Any]) -> None:
        line = to_line(request)
        try:
            # Not the socket's own `send`, which would wait for one that does not read.
            if os.write(self._socket.fileno(), line) < len(line):
                self._end()
        except OSError:
            self._end()

    def ask(self, request: Mapping[str, Any], deadline_s: float) -> Answer:
        number = next(self._ids)
        waiter: AsyncResult[Answer] = AsyncResult()
        self._waiting[number] = waiter
        try:
            self.send({"id": number, **request})
            answer = waiter.get(timeout=deadline_s) if self.is_open else None
        except gevent.Timeout:
            answer = None
        finally:
            self._waiting.pop(number, None)
        return answer

    def close(self) -> None:
        self._end()
        self._reader.kill(block=False)
        self._socket.close()

    def _read(self) -> None:
        rest = b""
        try:
            while (data := self._socket.recv(_AT_ONCE_BYTES)) and len(rest) < _MAX_ANSWER_BYTES:
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    answer = from_line(line)
                    waiter = self._waiting.pop(answer["id"], None)
                    if waiter is not None:
                        waiter.set(answer)
        except (OSError, ValueError, KeyError, TypeError):
            pass
        self._end()

    def _end(self) -> None:
        self.is_open = False
        waiting, self._waiting = self._waiting, {}
        for waiter in waiting.values():
            waiter.set(None)
