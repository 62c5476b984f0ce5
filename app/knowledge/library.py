"""One assistant's knowledge on this machine: the newest index file, and threads that read it."""

import logging
import sqlite3
import time
import zlib
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gevent.threadpool import ThreadPool

from app.domain.knowledge import Found, Inquiry, Similarities
from app.knowledge.building import index_files
from app.knowledge.finding import NEAREST, Nearest, find
from app.knowledge.open_index import OpenIndex, open_index

THREADS = 2
KEPT_FINDS = 32
# While the store knows more than the file at hand: how often the folder is looked at, and
# how often a build is asked for.
LOOK_EVERY_S = 0.5
ASK_EVERY_S = 5.0

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
        self._files = _Files(folder, assistant, clock)
        self._finds: OrderedDict[tuple[Path, Inquiry], Found] = OrderedDict()
        self._asked_at = -ASK_EVERY_S
        self._has_failed = False

    def has_index(self) -> bool:
        """Tell whether this machine has an index of the store's version."""
        version = self._version()
        return any(each == version for each, _ in index_files(self._folder, self._assistant))

    def is_known(self) -> bool:
        """Tell whether the assistant has documents at all; costs nothing, and never waits."""
        return self._version() > 0

    def find(self, inquiry: Inquiry) -> Found:
        """Return the passages that may answer a question; never raises."""
        version = self._version()
        if version <= 0:
            return Found()
        found = self._in_thread(inquiry, version)
        if not found.is_ready or found.version < version:
            self._ask_for_build()
        return found

    def close(self) -> None:
        """Give back files and threads."""
        if self._pool is not None:
            self._pool.join()
            self._pool.kill()
            self._pool = None
        self._files.close()
        self._finds.clear()

    def _in_thread(self, inquiry: Inquiry, version: int) -> Found:
        kept = self._files.kept(version)
        key = (kept, _hashable(inquiry)) if kept else None
        if key and (found := self._finds.get(key)):
            self._finds.move_to_end(key)
            return found
        if self._pool is None:
            self._pool = ThreadPool(THREADS)
        similar = self._ask_nearest(kept, inquiry.question)
        outcome = self._pool.apply(self._look_up, (inquiry, version, similar))
        if isinstance(outcome, Exception):
            self._report(outcome)
            return Found(is_ready=False)
        self._has_failed = False
        path, found = outcome
        if path is not None:
            self._finds[path, _hashable(inquiry)] = found
            if len(self._finds) > KEPT_FINDS:
                self._finds.popitem(last=False)
        return found

    def _ask_nearest(self, kept: Path | None, question: str) -> Similarities | None:
        """Ask by meaning, in the hub's own thread, to which the connection belongs."""
        if self._nearest is None or kept is None:
            return None
        return self._nearest(kept, question, NEAREST)

    def _look_up(
        self, inquiry: Inquiry, version: int, similar: Similarities | None
    ) -> tuple[Path | None, Found] | Exception:
        """Do all the work, in a native thread: what is raised is handed back."""
        try:
            index = self._files.take(version)
            if index is None:
                return None, Found(is_ready=False)
            try:
                found = find(index, inquiry, self._max_tokens, _told(index.path, similar))
            except BaseException as error:
                index.connection.close()
                if _is_damage(error):
                    self._files.mistrust(index.path)
                raise
            self._files.give_back(index)
            return index.path, found
        except Exception as error:  # to the greenlet, which logs it
            return error

    def _ask_for_build(self) -> None:
        if self._clock() - self._asked_at < ASK_EVERY_S:
            return
        self._asked_at = self._clock()
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


class _Files:
    """Connections to the newest sound file; used from several threads, without locks:
    what they share is taken and put back in one step."""

    def __init__(self, folder: Path, assistant: str, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._assistant = assistant
        self._clock = clock
        self._idle: deque[OpenIndex] = deque()
        self._newest: tuple[int, Path] | None = None
        self._looked_at = -LOOK_EVERY_S
        self._mistrusted: dict[Path, int] = {}

    def kept(self, version: int) -> Path | None:
        """Return the file at hand, if it is of the version."""
        newest = self._newest
        return newest[1] if newest and newest[0] == version else None

    def take(self, version: int) -> OpenIndex | None:
        """Return a connection to the newest file up to a version, for the caller alone."""
        if self.kept(version) is None and self._clock() - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = self._clock()
            self._look(version)
        newest = self._newest
        if newest is None:
            return None
        while self._idle:
            try:
                index = self._idle.popleft()
            except IndexError:
                break
            if index.path == newest[1]:
                return index
            index.connection.close()
        return open_index(newest[1])

    def give_back(self, index: OpenIndex) -> None:
        self._idle.append(index)

    def mistrust(self, path: Path) -> None:
        """Leave a file alone until another one is in its place."""
        with suppress(OSError):
            self._mistrusted[path] = path.stat().st_ino
        self._newest, self._looked_at = None, -LOOK_EVERY_S

    def close(self) -> None:
        while self._idle:
            self._idle.popleft().connection.close()

    def _look(self, version: int) -> None:
        for each, path in index_files(self._folder, self._assistant):
            if each > version or self._is_mistrusted(path):
                continue
            try:
                self._idle.append(open_index(path))
            except sqlite3.Error:
                logger.exception("The index %s is of no use", path.name)
                self.mistrust(path)
                continue
            self._newest = (each, path)
            return

    def _is_mistrusted(self, path: Path) -> bool:
        try:
            return path in self._mistrusted and self._mistrusted[path] == path.stat().st_ino
        except OSError:
            return True


def _is_damage(error: BaseException) -> bool:
    """Tell a damaged file from an error of ours, or a passing one of the disk."""
    damaged = isinstance(error, sqlite3.DatabaseError | zlib.error | UnicodeDecodeError)
    return damaged and not isinstance(error, sqlite3.OperationalError | sqlite3.InterfaceError)


def _told(path: Path, similar: Similarities | None) -> Nearest | None:
    """Return what was told of the file that is looked into; of another one it says nothing."""
    if similar is None:
        return None
    return lambda asked, _question, _k: similar.nearest if asked == path else None


def _hashable(inquiry: Inquiry) -> Inquiry:
    return replace(inquiry, cited=tuple(inquiry.cited))
