"""One assistant's knowledge on this machine: the newest index file, and threads that read it."""

import logging
import sqlite3
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gevent.threadpool import ThreadPool

from app.domain.knowledge import Found, Inquiry, Similarities
from app.knowledge.building import forget_newer, index_files
from app.knowledge.connections import Connections
from app.knowledge.finding import NEAREST, Near, find

THREADS = 2
KEPT_FINDS = 32
# While the store knows more than the file at hand: how often a build is asked for, at
# first, and where none comes of it.
ASK_EVERY_S = 5.0
_LONGEST_ASK_EVERY_S = 600.0

logger = logging.getLogger(__name__)


class Library:
    """Finds in the newest index of the folder; see ``app.knowledge.protocol.Knowledge``.

    ``version`` is the store's, from memory; ``request_build`` makes another process
    build the index, and returns at once. Files and threads are opened at the first use,
    after any fork. Belongs to one gevent hub.
    """

    def __init__(
        self,
        folder: Path,
        assistant: str,
        *,
        max_tokens: int,
        version: Callable[[], int],
        request_build: Callable[[], None],
        nearest: Callable[[Path, str, int], Similarities | None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._assistant = assistant
        self._max_tokens = max_tokens
        self._version = version
        self.request_build = request_build
        self._nearest = nearest
        self._clock = clock
        self._pool: ThreadPool | None = None
        self._connections = Connections(folder, assistant, clock)
        self._finds: OrderedDict[tuple[Path, Inquiry], Found] = OrderedDict()
        self._asked_at = float("-inf")
        self._asked = (0, 0)
        self._has_failed = False

    def has_index(self) -> bool:
        """Tell whether this machine has an index of the store's version."""
        version = self._version()
        return any(each == version for each, _ in index_files(self._folder, self._assistant))

    def is_known(self) -> bool:
        """Tell whether the assistant has documents at all; costs nothing, and never waits."""
        return self._version() > 0

    def forget_newer(self, version: int) -> None:
        """Remove files that the store has not come to: it was restored, or is another one."""
        with suppress(OSError):  # whoever builds says so
            forget_newer(self._folder, self._assistant, version)

    def find(self, inquiry: Inquiry) -> Found:
        """Return the passages that may answer a question; never raises."""
        version = self._version()
        if version <= 0:
            return Found()
        found = self._in_thread(inquiry, version)
        if not found.is_ready or found.version != version:
            self._ask_for_build(version)
        return found

    def close(self) -> None:
        """Give back files and threads."""
        if self._pool is not None:
            self._pool.join()
            self._pool.kill()
            self._pool = None
        self._connections.close()
        self._finds.clear()

    def _in_thread(self, inquiry: Inquiry, version: int) -> Found:
        kept = self._connections.kept(version)
        key = (kept, inquiry) if kept else None
        if key and (found := self._finds.get(key)):
            self._finds.move_to_end(key)
            return found
        if self._pool is None:
            self._pool = ThreadPool(THREADS)
        similar = self._ask_nearest(kept, inquiry.question)
        near = kept, similar.nearest if similar else ()
        outcome = self._pool.apply(self._look_up, (inquiry, version, *near))
        if isinstance(outcome, Exception):
            self._report(outcome)
            return Found(is_ready=False)
        self._has_failed = False
        path, found = outcome
        if path is not None:
            self._finds[path, inquiry] = found
            if len(self._finds) > KEPT_FINDS:
                self._finds.popitem(last=False)
        return found

    def _ask_nearest(self, kept: Path | None, question: str) -> Similarities | None:
        """Ask by meaning, in the hub's own thread, to which the connection belongs."""
        if self._nearest is None or kept is None:
            return None
        return self._nearest(kept, question, NEAREST)

    def _look_up(
        self, inquiry: Inquiry, version: int, kept: Path | None, near: Near
    ) -> tuple[Path | None, Found] | Exception:
        """Do all the work, in a native thread: what is raised is handed back.

        ``near`` are passages of the file ``kept``: of another one they say nothing.
        """
        try:
            index = self._connections.take(version)
            if index is None:
                return None, Found(is_ready=False)
            try:
                near = near if index.path == kept else ()
                found = find(index, inquiry, self._max_tokens, near)
            except BaseException as error:
                index.connection.close()
                if _is_damage(error):
                    self._connections.remove(index.path)
                raise
            self._connections.give_back(index)
            return index.path, found
        except Exception as error:  # to the greenlet, which logs it
            return error

    def _ask_for_build(self, version: int) -> None:
        before, times = self._asked
        times = times if before == version else 0
        every_s = min(ASK_EVERY_S * 2 ** max(times - 1, 0), _LONGEST_ASK_EVERY_S)
        if times and self._clock() - self._asked_at < every_s:
            return
        self._asked_at, self._asked = self._clock(), (version, min(times + 1, 20))
        try:
            self.request_build()
        except Exception:
            logger.exception("The index of assistant %s could not be asked for", self._assistant)

    def _report(self, error: Exception) -> None:
        if not self._has_failed:
            logger.error(
                "Nothing is found for assistant %s: %s", self._assistant, error, exc_info=error
            )
        self._has_failed = True


def _is_damage(error: BaseException) -> bool:
    """Tell a damaged file from an error of ours, or a passing one of the disk."""
    damaged = isinstance(error, sqlite3.DatabaseError | zlib.error | UnicodeDecodeError)
    return damaged and not isinstance(error, sqlite3.OperationalError | sqlite3.InterfaceError)
