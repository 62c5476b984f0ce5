"""What can be wrong with a database file, in the operator's words."""

from pathlib import Path

from app.domain.errors import StorageUnavailable


class DatabaseFault(Exception):
    """A sentence that tells the operator what is wrong with the file."""


REFUSES_LOCKS = (
    "is on a disk that refuses the locks that SQLite needs, as network shares (NFS, SMB) do: "
    "put it on a disk of this machine"
)
_SENTENCES = {
    "SQLITE_BUSY": "is locked by another process",
    "SQLITE_LOCKED": "is locked by another process",
    "SQLITE_FULL": "cannot grow: the disk is full",
    "SQLITE_READONLY": "is read-only for this user",
    "SQLITE_PERM": "is not accessible to this user",
    "SQLITE_CANTOPEN": "cannot be opened: check its directory and permissions",
    "SQLITE_CORRUPT": "is damaged: restore a backup, or run sqlite3's .recover",
    "SQLITE_NOTADB": "is not a SQLite database",
    "SQLITE_IOERR_LOCK": REFUSES_LOCKS,
    "SQLITE_IOERR_SHMLOCK": REFUSES_LOCKS,
    "SQLITE_IOERR_SHMMAP": REFUSES_LOCKS,
    "SQLITE_IOERR_SHMOPEN": REFUSES_LOCKS,
    "SQLITE_PROTOCOL": REFUSES_LOCKS,
    "SQLITE_IOERR": "cannot be read or written: check the disk",
}


def unavailable(path: Path, error: BaseException) -> StorageUnavailable:
    """Translate a failure; the operator's sentence stands in the chain."""
    fault = error if isinstance(error, DatabaseFault) else _fault(path, error)
    failure = StorageUnavailable()
    failure.__cause__ = fault
    return failure


def _fault(path: Path, error: BaseException) -> DatabaseFault:
    fault = DatabaseFault(f"The database {path.name} {_sentence(error)}.")
    fault.__cause__ = error
    return fault


def _sentence(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "did not answer in time: the disk may hang, or it is a network share (NFS, SMB)"
    if isinstance(error, OSError):
        return f"cannot be created: {error.strerror}"
    # Extended names, such as SQLITE_IOERR_FSYNC, begin with the plain one.
    name = getattr(error, "sqlite_errorname", None) or ""
    for known, sentence in _SENTENCES.items():
        if name == known or name.startswith(known + "_"):
            return sentence
    return f"failed ({name or type(error).__name__})"
