"""Vectors that were made once, in a file beside the index: only changed passages cost again."""

import hashlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

_SCHEMA = "CREATE TABLE IF NOT EXISTS vectors(key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID"


def key_of(model: str, text: str) -> bytes:
    """Return what a text's vector by a model is found by."""
    return hashlib.sha256(f"{model}\0{text}".encode("utf-8", "replace")).digest()


class VectorCache:
    """Packed vectors by key. For one thread.

    A file that is damaged is begun anew, and one that cannot be written holds nothing:
    both cost time, and no answer.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._complained = False
        try:
            self._db = self._open()
        except sqlite3.DatabaseError as error:
            log.warning("Vectors are not kept: %s (%s)", path.name, type(error).__name__)
            self._db = sqlite3.connect(":memory:", isolation_level=None)
            self._db.execute(_SCHEMA)

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        try:
            yield from self._db.execute("SELECT key, vector FROM vectors")
        except sqlite3.DatabaseError as error:
            self._complain("read", error)

    def put(self, vectors: Mapping[bytes, bytes]) -> None:
        """Keep vectors."""
        self._write("kept", "INSERT OR REPLACE INTO vectors VALUES (?, ?)", vectors.items())

    def remove(self, keys: Iterable[bytes]) -> None:
        """Forget vectors that nothing needs any more."""
        self._write("removed", "DELETE FROM vectors WHERE key = ?", ((each,) for each in keys))

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def _write(self, done: str, statement: str, rows: Iterable[Sequence[bytes]]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(statement, rows)
            self._db.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            self._complain(done, error)
            with suppress(sqlite3.DatabaseError):
                self._db.execute("ROLLBACK")

    def _complain(self, done: str, error: sqlite3.DatabaseError) -> None:
        if not self._complained:
            log.warning("Vectors were not %s: %s (%s)", done, self._path.name, type(error).__name__)
        self._complained = True

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.OperationalError:  # locked, read-only, full: no fault of the file's
            raise
        except sqlite3.DatabaseError:
            log.warning("A damaged cache of vectors is begun anew: %s", self._path.name)
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, timeout=2)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute(_SCHEMA)
            db.execute("SELECT key, vector FROM vectors LIMIT 1").fetchone()
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db
