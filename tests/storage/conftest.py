"""The stores under test, each empty, with a clock of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.storage.protocol import ConversationStore
from tests.convex_server import convex  # noqa: F401 (a fixture)
from tests.storage.stores import STORES, Advance

NEEDS_NODE = {"convex": pytest.mark.node}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "convex" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.node)


@pytest.fixture(params=[pytest.param(name, marks=NEEDS_NODE.get(name, ())) for name in STORES])
def store_and_clock(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[ConversationStore, Advance]]:
    with STORES[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
def store(store_and_clock: tuple[ConversationStore, Advance]) -> ConversationStore:
    return store_and_clock[0]


@pytest.fixture
def advance(store_and_clock: tuple[ConversationStore, Advance]) -> Advance:
    return store_and_clock[1]
