"""Documents and their versions, each the inside of one transaction."""

import sqlite3
from collections.abc import Mapping, Sequence

from app.domain.knowledge import Document, DocumentPage
from app.storage.document_store import MAX_PAGE_BYTES, MAX_PAGE_DOCUMENTS, TOMBSTONE_DAYS
from app.storage.sections import from_sections, to_sections
from app.storage.sqlite.cursors import from_cursor, to_cursor

_CHANGED = "v"
_LISTED = "d"
_AFTER_ALL = 2**62
_TOMBSTONE_MS = TOMBSTONE_DAYS * 24 * 60 * 60 * 1000
_BURY_AT_ONCE = 100
# What may differ while the hash, which is of title and sections, is the same.
_BESIDE_HASH = ("kind", "url", "language", "is_pinned")
_LISTED_COLUMNS = (
    "number, assistant, key, version, changed_at, is_forgotten, kind, title, url, language,"
    " is_pinned, hash, learnt_at, problem, missing"
)


def read_versions(db: sqlite3.Connection) -> Mapping[str, int]:
    """Return the version of each assistant that has documents."""
    rows = db.execute(
        "SELECT assistant, version FROM knowledge WHERE EXISTS (SELECT 1 FROM documents"
        " WHERE documents.assistant = knowledge.assistant AND NOT is_forgotten)"
    )
    return {row["assistant"]: row["version"] for row in rows}


def put_documents(
    db: sqlite3.Connection, assistant: str, documents: Sequence[Document], *, now: int
) -> int:
    """Store documents in place of those of the same keys; return the version now."""
    _bury(db, now)
    version = _version(db, assistant)
    changed = [_put(db, assistant, each, version + 1, now) for each in documents]
    return _set_version(db, assistant, version + 1) if any(changed) else version


def forget_documents(
    db: sqlite3.Connection, assistant: str, keys: Sequence[str], *, now: int
) -> int:
    """Leave tombstones in the place of documents; return the version now."""
    _bury(db, now)
    version = _version(db, assistant)
    forgotten = 0
    for key in keys:
        forgotten += db.execute(
            "UPDATE documents SET is_forgotten = 1, version = ?, changed_at = ?, title = '',"
            " url = NULL, language = NULL, is_pinned = 0, hash = '', problem = NULL,"
            " missing = 0, sections = '[]'"
            " WHERE assistant = ? AND key = ? AND NOT is_forgotten",
            (version + 1, now, assistant, key),
        ).rowcount
    return _set_version(db, assistant, version + 1) if forgotten else version


def documents_since(
    db: sqlite3.Connection, assistant: str, version: int, *, cursor: str | None
) -> DocumentPage:
    """Return what changed after a version: see ``DocumentStore``."""
    after = [version, _AFTER_ALL] if cursor is None else from_cursor(_CHANGED, cursor, 2)
    rows = db.execute(
        "SELECT * FROM documents WHERE assistant = ? AND (version, number) > (?, ?)"
        " ORDER BY version, number",
        (assistant, *after),
    )
    page: list[sqlite3.Row] = []
    size = 0
    for row in rows:
        size += len(row["sections"].encode())
        if page and (size > MAX_PAGE_BYTES or len(page) == MAX_PAGE_DOCUMENTS):
            next_cursor = to_cursor(_CHANGED, page[-1]["version"], page[-1]["number"])
            return _to_page(db, assistant, page, next_cursor)
        page.append(row)
    return _to_page(db, assistant, page)


def list_documents(
    db: sqlite3.Connection, assistant: str, *, limit: int, cursor: str | None
) -> DocumentPage:
    """Return documents by key, without their sections and without tombstones."""
    # By its row, which a tombstone keeps for longer than anybody turns pages.
    after = 0 if cursor is None else from_cursor(_LISTED, cursor, 1)[0]
    rows = db.execute(
        f"SELECT {_LISTED_COLUMNS} FROM documents WHERE assistant = ?"  # noqa: S608
        " AND key > coalesce((SELECT key FROM documents WHERE number = ?), '')"
        " AND NOT is_forgotten ORDER BY key LIMIT ?",
        (assistant, after, limit + 1),
    ).fetchall()
    page = rows[:limit]
    next_cursor = to_cursor(_LISTED, page[-1]["number"]) if len(rows) > limit else None
    return _to_page(db, assistant, page, next_cursor)


def read_document(db: sqlite3.Connection, assistant: str, key: str) -> Document | None:
    """Return a document with its sections."""
    row = db.execute(
        "SELECT * FROM documents WHERE assistant = ? AND key = ? AND NOT is_forgotten",
        (assistant, key),
    ).fetchone()
    return row and _to_document(row)


def _put(
    db: sqlite3.Connection, assistant: str, document: Document, version: int, now: int
) -> bool:
    stored = db.execute(
        f"SELECT {_LISTED_COLUMNS} FROM documents WHERE assistant = ? AND key = ?",  # noqa: S608
        (assistant, document.key),
    ).fetchone()
    columns = _from_document(document)
    # A tombstone has no hash, and no hash is like none.
    if stored is not None and stored["hash"] and stored["hash"] == document.hash:
        del columns["sections"], columns["title"]
        if all(stored[name] == columns[name] for name in _BESIDE_HASH):
            version, now = stored["version"], stored["changed_at"]
    columns |= {"is_forgotten": 0, "version": version, "changed_at": now}
    if stored is None:
        columns |= {"assistant": assistant, "key": document.key}
        db.execute(
            f"INSERT INTO documents ({', '.join(columns)})"  # noqa: S608
            f" VALUES ({', '.join('?' * len(columns))})",
            (*columns.values(),),
        )
    else:
        db.execute(
            f"UPDATE documents SET {' = ?, '.join(columns)} = ? WHERE number = ?",  # noqa: S608
            (*columns.values(), stored["number"]),
        )
    return stored is None or version != stored["version"]


def _from_document(document: Document) -> dict[str, object]:
    return {
        "kind": document.kind,
        "title": document.title,
        "url": document.url,
        "language": document.language,
        "is_pinned": int(document.is_pinned),
        "hash": document.hash,
        "learnt_at": document.learnt_at,
        "problem": document.problem,
        "missing": document.missing,
        "sections": from_sections(document.sections),
    }


def _to_page(
    db: sqlite3.Connection,
    assistant: str,
    rows: Sequence[sqlite3.Row],
    next_cursor: str | None = None,
) -> DocumentPage:
    return DocumentPage(tuple(map(_to_document, rows)), _version(db, assistant), next_cursor)


def _to_document(row: sqlite3.Row) -> Document:
    return Document(
        assistant=row["assistant"],
        key=row["key"],
        kind=row["kind"],
        title=row["title"],
        sections=to_sections(row["sections"]) if "sections" in row.keys() else (),  # noqa: SIM118
        url=row["url"],
        language=row["language"],
        is_pinned=bool(row["is_pinned"]),
        hash=row["hash"],
        learnt_at=row["learnt_at"],
        problem=row["problem"],
        missing=row["missing"],
        version=row["version"],
        changed_at=row["changed_at"],
        is_forgotten=bool(row["is_forgotten"]),
    )


def _version(db: sqlite3.Connection, assistant: str) -> int:
    row = db.execute("SELECT version FROM knowledge WHERE assistant = ?", (assistant,)).fetchone()
    return row["version"] if row else 0


def _set_version(db: sqlite3.Connection, assistant: str, version: int) -> int:
    db.execute("INSERT OR REPLACE INTO knowledge VALUES (?, ?)", (assistant, version))
    return version


def _bury(db: sqlite3.Connection, now: int) -> None:
    # A few with each write, so that tombstones cannot grow without end.
    db.execute(
        "DELETE FROM documents WHERE number IN (SELECT number FROM documents"
        " WHERE is_forgotten AND changed_at < ? ORDER BY changed_at LIMIT ?)",
        (now - _TOMBSTONE_MS, _BURY_AT_ONCE),
    )
