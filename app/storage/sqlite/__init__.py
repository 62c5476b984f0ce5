"""The embedded store: every conversation in one SQLite file.

Read top-down: ``store`` is the port; ``turns``, ``listing`` and ``threads``
are its transactions; ``matches`` and ``searches`` find what a list shows;
``rows`` and ``cursors`` translate; ``database`` owns threads and
connections; ``schema`` says what is in the file.
"""

from app.storage.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
