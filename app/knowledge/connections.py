"""Open connections to an assistant's newest index file, whatever becomes of the files."""

import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from app.knowledge.building import index_files
from app.knowledge.open_index import OpenIndex, open_index

# While the store knows more than the file at hand: how often the folder is looked at.
LOOK_EVERY_S = 0.5

logger = logging.getLogger(__name__)


class Connections:
    """Connections to an assistant's newest sound index file.

    Used from several threads, without locks: what they share is taken and put back in
    one step.
    """

    def __init__(self, folder: Path, assistant: str, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._assistant = assistant
        self._clock = clock
        self._idle: deque[OpenIndex] = deque()
        self._newest: tuple[int, Path] | None = None
        self._looked_at = float("-inf")
        self._mistrusted: dict[Path, tuple[int, int]] = {}

    def kept(self, version: int) -> Path | None:
        """Return the file at hand, if it is of the version."""
        newest = self._newest
        return newest[1] if newest and newest[0] == version else None

    def take(self, version: int) -> OpenIndex | None:
        """Return a connection to the newest file up to a version, for the caller alone.

        Where there is none, the newest of all: what the store is said to have may be old.
        """
        while True:
            if self.kept(version) is None and self._clock() - self._looked_at >= LOOK_EVERY_S:
                self._looked_at = self._clock()
                self._look(version)
            newest = self._newest
            if newest is None:
                return None
            if index := self._take_idle(newest[1]):
                return index
            try:
                return open_index(newest[1])
            except sqlite3.Error as error:  # it was taken away since, or replaced
                self._pass_over(newest[1], error)

    def _take_idle(self, path: Path) -> OpenIndex | None:
        while self._idle:
            try:
                index = self._idle.pop()
            except IndexError:
                break
            if index.path == path:
                return index
            index.connection.close()
        return None

    def give_back(self, index: OpenIndex) -> None:
        """Let others have a connection."""
        self._idle.append(index)

    def remove(self, path: Path) -> None:
        """Take a damaged file away: whoever builds sees less of it, and would let it stay."""
        self._mistrust(path)
        with suppress(OSError):
            path.unlink()

    def close(self) -> None:
        """Close those that nobody has."""
        while self._idle:
            self._idle.popleft().connection.close()

    def _look(self, version: int) -> None:
        files = index_files(self._folder, self._assistant)
        for each, path in sorted(files, key=lambda it: it[0] > version):
            if self._is_mistrusted(path):
                continue
            if self._newest == (each, path):
                return
            try:
                self._idle.append(open_index(path))
            except sqlite3.Error as error:
                self._pass_over(path, error)
                continue
            self._newest = (each, path)
            return

    def _pass_over(self, path: Path, error: sqlite3.Error) -> None:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_CANTOPEN:
            # It is gone, or there is no descriptor left: the next time it may be there.
            self._newest, self._looked_at = None, float("-inf")
        else:
            logger.error("The index %s is of no use", path.name, exc_info=error)
            self._mistrust(path)

    def _mistrust(self, path: Path) -> None:
        """Leave a file alone until another one is in its place."""
        with suppress(OSError):
            self._mistrusted[path] = _identity(path)
        self._newest, self._looked_at = None, float("-inf")

    def _is_mistrusted(self, path: Path) -> bool:
        try:
            return path in self._mistrusted and self._mistrusted[path] == _identity(path)
        except OSError:
            return True


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns  # the number of a file that is gone is given again
