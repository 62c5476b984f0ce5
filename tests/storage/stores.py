"""Every store that the contract tests run against, by name."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from app.storage.convex import ConvexStore
from app.storage.protocol import ConversationStore
from app.storage.sqlite import SqliteStore
from tests.convex_server import convex_server

Advance = Callable[[int], None]
"""Moves the store's clock on, by ms."""

StoreFactory = Callable[[Path], AbstractContextManager[tuple[ConversationStore, Advance]]]

START_MS = 1_700_000_000_000


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now_ms = START_MS

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, ms: int) -> None:
        self.now_ms += ms


@contextmanager
def sqlite_store(directory: Path) -> Iterator[tuple[ConversationStore, Advance]]:
    clock = Clock()
    store = SqliteStore(directory / "perch.db", clock_ms=clock)
    try:
        yield store, clock.advance
    finally:
        store.close()


@contextmanager
def convex_store(directory: Path) -> Iterator[tuple[ConversationStore, Advance]]:
    server = convex_server()
    server.reset()
    store = ConvexStore(server.url, server.deploy_key)
    try:
        yield store, server.advance
    finally:
        store.close()


STORES: dict[str, StoreFactory] = {
    "sqlite": sqlite_store,
    "convex": convex_store,
}
