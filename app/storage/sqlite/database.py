"""One SQLite file behind native threads, so that no disk stops the streams.

SQLite blocks in C, which would stop every greenlet of the process; all of
it therefore happens in gevent's native thread pools.
"""

import fcntl
import os
import sqlite3
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import gevent
from gevent.event import Event
from gevent.threadpool import ThreadPool

from app.domain.errors import InvalidRequest, ServiceError, StorageUnavailable
from app.storage.sqlite.faults import REFUSES_LOCKS, DatabaseFault, unavailable
from app.storage.sqlite.schema import migrate

READER_THREADS = 4
# What SQLite keeps beside the file.
_BESIDE = ("-wal", "-shm", "-journal")

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class Database:
    """Runs transactions: writes one after another, reads beside them.

    Threads and connections are made at the first use, after any fork.
    Belongs to one gevent hub, the one that uses it first.
    """

    def __init__(self, path: Path, timeout_s: float) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._queue: list[_Job[Any]] = []
        self._committer: gevent.Greenlet[..., None] | None = None
        self._writer: ThreadPool | None = None
        self._readers: ThreadPool | None = None
        # Not thread-local: under gunicorn's patches locals are per greenlet.
        self._idle_writers: deque[sqlite3.Connection] = deque()
        self._idle_readers: deque[sqlite3.Connection] = deque()

    def read(self, work: Work[T]) -> T:
        """Run ``work`` in a transaction that sees one state of the file."""
        if self._readers is None:
            self._readers = ThreadPool(READER_THREADS)
        pool, job = self._readers, _Job(work)
        self._in_time(lambda: pool.apply(self._read, (job,)))
        return job.outcome()

    def write(self, work: Work[T]) -> T:
        """Run ``work`` in a write transaction, and return once it is on disk.

        Writes that wait together are committed together: one sync for all.
        """
        job = _Job(work)
        self._queue.append(job)
        if self._committer is None or self._committer.dead:
            self._committer = gevent.spawn(self._commit_queue)
        try:
            self._in_time(job.settled.wait)
        except StorageUnavailable:
            job.abandoned = True
            raise
        return job.outcome()

    def close(self) -> None:
        """End the threads and close the file."""
        pools = [pool for pool in (self._readers, self._writer) if pool is not None]
        for pool in pools:
            # A thread that hangs in the disk is left behind.
            with suppress(StorageUnavailable):
                self._in_time(pool.join)
                self._in_time(pool.kill)
        for idle in (self._idle_readers, self._idle_writers):
            while idle:
                idle.pop().close()
        self._readers = self._writer = None

    def _in_time(self, wait: Callable[[], T]) -> T:
        timer = gevent.Timeout(self._timeout_s)
        try:
            with timer:
                return wait()
        except gevent.Timeout as fired:
            if fired is not timer:  # a caller's own deadline
                raise
        raise unavailable(self._path, TimeoutError())

    def _commit_queue(self) -> None:
        if self._writer is None:
            self._writer = ThreadPool(1)
        while self._queue:
            batch, self._queue = self._queue, []
            self._writer.apply(self._commit, (batch,))
            for job in batch:
                job.settled.set()

    # Below this line everything runs in a native thread. Nothing is raised
    # out of it, for gevent would print that: errors travel in the jobs.

    def _read(self, job: "_Job[Any]") -> None:
        self._transact("BEGIN", [job])

    def _commit(self, batch: "list[_Job[Any]]") -> None:
        self._transact("BEGIN IMMEDIATE", batch)

    def _transact(self, begin: str, batch: "list[_Job[Any]]") -> None:
        idle = self._idle_readers if begin == "BEGIN" else self._idle_writers
        try:
            with self._connection(idle) as db:
                db.execute(begin)
                for job in batch:
                    job.run(db, self._path)
                db.execute("COMMIT")
        except Exception as error:  # each caller must hear of it
            for job in batch:
                job.error = job.error or unavailable(self._path, error)

    @contextmanager
    def _connection(self, idle: deque[sqlite3.Connection]) -> Iterator[sqlite3.Connection]:
        db = idle.pop() if idle else self._open()
        try:
            yield db
        except BaseException:
            # Opened anew next time: the file may have been mended meanwhile.
            db.close()
            raise
        idle.append(db)

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _try_locks(self._path)
        _make_private(self._path)
        db = sqlite3.connect(
            self._path,
            # Setting up waits twice at most, and is shorter than the callers' patience.
            timeout=self._timeout_s * 0.4,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            db.row_factory = sqlite3.Row
            _use_wal(db)
            # What was acknowledged must survive a power cut: sync at each commit.
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA secure_delete = FAST")
            migrate(db)
            # Shorter than the callers' patience, so that they hear "locked".
            db.execute(f"PRAGMA busy_timeout = {round(self._timeout_s * 800)}")
        except BaseException:
            db.close()
            raise
        return db


class _Job(Generic[T]):
    """One caller's work, and what became of it."""

    def __init__(self, work: Work[T]) -> None:
        self._work = work
        self._result: T | None = None
        self.error: Exception | None = None
        self.settled = Event()
        self.abandoned = False

    def run(self, db: sqlite3.Connection, path: Path) -> None:
        """Run within the batch's transaction; a failure undoes only this job."""
        if self.abandoned:
            return
        db.execute("SAVEPOINT job")
        try:
            self._result = self._work(db)
        except Exception as error:  # the others of the batch must go on
            if not db.in_transaction:  # SQLite undid them all: disk full, I/O error
                raise
            db.execute("ROLLBACK TO job")
            self.error = _translate(path, error)
        db.execute("RELEASE job")

    def outcome(self) -> T:
        """Return the work's result, or raise its error."""
        if self.error is not None:
            raise self.error
        return cast(T, self._result)


def _translate(path: Path, error: Exception) -> Exception:
    if isinstance(error, UnicodeEncodeError):  # a lone surrogate
        failure: ServiceError = InvalidRequest()
    elif isinstance(error, sqlite3.Error):
        failure = unavailable(path, error)
    else:
        return error
    failure.__cause__ = failure.__cause__ or error
    return failure


def _try_locks(path: Path) -> None:
    """Lock a file of the same folder, for SQLite takes a refusal for another's lock, and waits.

    Not the database: to close it here would drop the locks that other
    connections of this process hold on it.
    """
    # Where none can be made, SQLite says why.
    with suppress(OSError), tempfile.TemporaryFile(dir=path.parent) as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DatabaseFault(f"The database {path.name} {REFUSES_LOCKS}.") from error


def _make_private(path: Path) -> None:
    """Let nobody but its owner read the database; what a group was given it keeps.

    SQLite gives the files beside it the same mode.
    """
    with suppress(OSError):  # it is there, or only root may do this here (macOS)
        os.mknod(path, 0o600)
    for name in (path, *(path.with_name(path.name + end) for end in _BESIDE)):
        with suppress(OSError):  # not there, or another user's
            mode = name.stat().st_mode
            if mode & 0o007:
                name.chmod(mode & 0o700)


def _use_wal(db: sqlite3.Connection) -> None:
    # Of two processes that switch a new file at once, one is refused without
    # a wait; a transaction does wait, so take one and ask again.
    for _ in range(20):
        with suppress(sqlite3.OperationalError):
            db.execute("PRAGMA journal_mode = WAL")
            return
        db.execute("BEGIN IMMEDIATE")
        db.execute("ROLLBACK")
    db.execute("PRAGMA journal_mode = WAL")
