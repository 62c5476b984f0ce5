"""Has each assistant's pages learnt again, every so many hours, by a process of its own.

Every worker of every machine looks now and then whether it is time; the one that gets the
lease starts ``python -m app learn --refresh``. Where that fails, or its worker dies, the
lease runs out, and somebody tries again.
"""

import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import gevent
from gevent import subprocess

from app.domain.errors import StorageUnavailable
from app.operations.knowledge.commands import start_command
from app.settings import AssistantSettings
from app.storage.protocol import ConversationStore

log = logging.getLogger(__name__)

_FIRST_LOOK_AFTER_S = 3.0
_LOOK_EVERY_S = 120.0
# It is also how long it takes until what failed is tried again.
LEASE_S = 1800.0
_RENEW_EVERY_S = 60.0
_POLL_S = 1.0
_PATIENCE_S = 5.0
_MAX_LINE_CHARS = 400


class Child(Protocol):
    """A process that was started."""

    def poll(self) -> int | None:
        """Return its exit code, ``None`` while it runs."""
        ...

    def terminate(self) -> None:
        """Ask it to end."""
        ...

    def kill(self) -> None:
        """End it."""
        ...

    def lines(self) -> Iterator[str]:
        """Yield what it says, until it has ended."""
        ...


Spawn = Callable[[Sequence[str]], Child]
"""Starts ``python -m app`` with these words."""


class _Process:
    """A child whose words come over a pipe."""

    def __init__(self, words: Sequence[str]) -> None:
        self._popen = start_command(words, subprocess.PIPE, subprocess.STDOUT)
        self.poll = self._popen.poll
        self.terminate = self._popen.terminate
        self.kill = self._popen.kill

    def lines(self) -> Iterator[str]:
        for line in self._popen.stdout or ():
            yield line.decode("utf-8", "replace").strip()


class LearningSchedule:
    """Starts learners when they are due; at most one at a time.

    ``sleep`` and ``clock`` are in seconds.
    """

    def __init__(
        self,
        store: ConversationStore,
        assistants: Sequence[AssistantSettings],
        *,
        spawn: Spawn = _Process,
        sleep: Callable[[float], object] = gevent.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._due = [it for it in assistants if _learns(it)]
        self._spawn = spawn
        self._sleep = sleep
        self._clock = clock
        self._child: Child | None = None
        self._is_stopped = False
        # Drawn at the first use: applications are made before the workers are forked.
        self._holder = ""

    def watch(self) -> None:
        """Look whenever it is time; returns once ``stop`` was called, or nothing is to learn."""
        self._sleep(_FIRST_LOOK_AFTER_S)
        while self._due and not self._is_stopped:
            try:
                self.look()
            except StorageUnavailable as error:
                log.warning("Learning goes on later: %s", error.__cause__ or error)
            except Exception:  # a bug must not end the watch of a worker that lives for months
                log.exception("Learning failed unexpectedly")
            self._sleep(_LOOK_EVERY_S)

    def look(self) -> None:
        """Learn for those whose time it is.

        Raises:
            StorageUnavailable: the rest is for whoever looks next.
        """
        self._holder = self._holder or secrets.token_hex(8)
        for each in self._due:
            if not self._is_stopped and self._has_lease(each):
                self._learn(each)

    def stop(self) -> None:
        """End the child, for this worker ends; what it stored stays."""
        self._is_stopped = True
        child, self._child = self._child, None
        if child is None:
            return
        child.terminate()
        until = self._clock() + _PATIENCE_S
        while child.poll() is None and self._clock() < until:
            self._sleep(_POLL_S / 10)
        if child.poll() is None:
            child.kill()

    def _learn(self, assistant: AssistantSettings) -> None:
        words = ["learn", "--refresh", "--assistant", assistant.id]
        try:
            child = self._child = self._spawn(words)
        except OSError as error:
            log.warning("The learner of %s cannot be started: %s", assistant.id, error.strerror)
            return
        gevent.spawn(_log_lines, assistant.id, child)
        renewed_at = self._clock()
        try:
            while (code := child.poll()) is None:
                self._sleep(_POLL_S)
                if self._clock() - renewed_at > _RENEW_EVERY_S:
                    renewed_at = self._clock()
                    self._has_lease(assistant)
        except BaseException:
            if child.poll() is None:
                child.kill()
            raise
        finally:
            self._child = None
        if code == 0:
            self._store.end_job(_job(assistant), self._holder)
        elif not self._is_stopped:
            log.warning(
                "The learner of %s ended with %d, and is tried again in %d minutes: see"
                " python -m app learn --report --assistant %s",
                assistant.id, code, LEASE_S // 60, assistant.id,
            )  # fmt: skip

    def _has_lease(self, assistant: AssistantSettings) -> bool:
        return self._store.begin_job(
            _job(assistant),
            self._holder,
            lease_s=LEASE_S,
            every_s=assistant.knowledge.learn_every_h * 3600,
        )


def _learns(assistant: AssistantSettings) -> bool:
    policy = assistant.knowledge
    return bool(policy.site_url) and policy.learn_every_h > 0 and policy.mode != "off"


def _job(assistant: AssistantSettings) -> str:
    # Not the learner's own, `learn:…`, which its child holds meanwhile. Of each site another
    # one: who mends SITE_URL need not wait until the last attempt may be repeated.
    site = hashlib.sha256((assistant.knowledge.site_url or "").encode()).hexdigest()[:8]
    return f"relearn:{assistant.id}:{site}"


def _log_lines(assistant: str, child: Child) -> None:
    for line in child.lines():
        if line:
            log.info("Learning for %s: %s", assistant, line[:_MAX_LINE_CHARS])
