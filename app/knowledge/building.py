"""Build an assistant's index from the store: one process of a machine at a time."""

import fcntl
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.domain.knowledge import Document
from app.knowledge.index import digest, write_index
from app.knowledge.open_index import open_index
from app.storage.document_store import DocumentStore

KEPT_VERSIONS = 2


class IndexNotBuilt(Exception):
    """An index that could not be written; its words say where, and why."""


def build(
    documents: DocumentStore, assistant: str, folder: Path, count_tokens: Callable[[str], int]
) -> Path:
    """Write the index of what the store has, unless it is there; return its path.

    Waits while another process does so. It is written beside and renamed, so that no
    reader ever sees half of one. The last ``KEPT_VERSIONS`` stay, and none that is newer
    than the store: it was of another one, or of this before it was restored.

    Raises:
        StorageUnavailable: the documents could not be read.
        IndexNotBuilt: the disk is full, or the folder refuses.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(folder / f".{assistant}.lock"):
            return _build(documents, assistant, folder, count_tokens)
    except (OSError, sqlite3.Error) as error:
        why = (isinstance(error, OSError) and error.strerror) or error
        raise IndexNotBuilt(f"the index in {folder} cannot be written: {why}") from error


def _build(
    documents: DocumentStore, assistant: str, folder: Path, count_tokens: Callable[[str], int]
) -> Path:
    known, version = _read_all(documents, assistant)
    forget_newer(folder, assistant, version)
    path = index_path(folder, assistant, version)
    if not is_sound(path, digest(known)):
        _write_beside(path, known, count_tokens, assistant, version)
    for _, old in index_files(folder, assistant)[KEPT_VERSIONS:]:
        old.unlink(missing_ok=True)
    return path


def index_path(folder: Path, assistant: str, version: int) -> Path:
    """Return where the index of a version is, or would be."""
    return folder / f"{assistant}-{version}.db"


def index_files(folder: Path, assistant: str) -> list[tuple[int, Path]]:
    """Return the index files of an assistant with their versions, the newest first."""
    named = re.compile(rf"{re.escape(assistant)}-(\d+)\.db")
    try:
        names = [named.fullmatch(entry.name) for entry in os.scandir(folder)]
    except OSError:  # it is not there, or not for us: whoever builds says so
        return []
    return sorted(((int(name[1]), folder / name[0]) for name in names if name), reverse=True)


def forget_newer(folder: Path, assistant: str, version: int) -> None:
    """Remove index files of versions that the store has not come to yet."""
    for each, path in index_files(folder, assistant):
        if each > version:
            path.unlink(missing_ok=True)


def is_sound(path: Path, content: str) -> bool:
    """Tell whether an index file is one that we can read, of our format and of a ``digest``."""
    if not path.exists():
        return False
    try:
        index = open_index(path)
    except sqlite3.Error:
        return False
    try:
        is_whole = index.connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
        return bool(is_whole and index.content == content)
    except sqlite3.Error:
        return False
    finally:
        index.connection.close()


def _read_all(documents: DocumentStore, assistant: str) -> tuple[list[Document], int]:
    """Return all documents, the version they are of, and of each key the last."""
    page = documents.documents_since(assistant, 0)
    # What changes while it is read comes again at the next build.
    version = page.version
    known = {each.key: each for each in page.documents}
    while page.next_cursor is not None:
        page = documents.documents_since(assistant, 0, cursor=page.next_cursor)
        known.update({each.key: each for each in page.documents})
    return list(known.values()), version


def _write_beside(
    path: Path,
    documents: list[Document],
    count_tokens: Callable[[str], int],
    assistant: str,
    version: int,
) -> None:
    # Under the lock nobody else writes: what is there was left by one that was killed.
    halves = re.compile(rf"\.{re.escape(assistant)}-\d+\.db\.new.*")
    for entry in os.scandir(path.parent):
        if halves.fullmatch(entry.name):
            (path.parent / entry.name).unlink(missing_ok=True)
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.touch(0o600)  # it holds texts that may be no public page's
        write_index(beside, documents, count_tokens, assistant=assistant, version=version)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    # Left behind, and taken again: a lock that is removed may be held by one and made by another.
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
