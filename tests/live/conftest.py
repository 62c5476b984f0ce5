"""Fixtures of the tests that run the real gunicorn; all of them carry the mark ``live``."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.eventually import eventually
from tests.servers.perch import Server
from tests.servers.upstream import Upstream

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.live)


@pytest.fixture(autouse=True)
def fresh_store(pytestconfig: pytest.Config) -> None:
    """Empty the one Convex deployment; a SQLite file is each server's own."""
    if pytestconfig.option.store == "convex":
        from tests.convex_server import convex_server

        convex_server().reset()


@pytest.fixture
def looks_into_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the servers of a test answer from pages, whichever the store is."""
    monkeypatch.setattr(Server, "store", {**Server.store, "GROUNDING": "prefer"})


@pytest.fixture(scope="session")
def session_upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(session_upstream: Upstream) -> Upstream:
    """The scripted model, forgetful of the tests before."""
    session_upstream.reset()
    return session_upstream


@pytest.fixture(scope="session")
def session_server(session_upstream: Upstream) -> Iterator[Server]:
    with Server.over(session_upstream) as server:
        yield server


@pytest.fixture
def server(session_server: Server, upstream: Upstream) -> Server:
    """A running server over the scripted model; tests that stop it start their own."""
    return session_server


@pytest.fixture(scope="module")
def two_workers(
    session_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A running server with two workers, for the tests of a module."""
    folder = str(tmp_path_factory.mktemp("workers"))
    with Server.over(session_upstream, WEB_CONCURRENCY="2", TMPDIR=folder) as server:
        eventually(lambda: len(server.workers) == 2)
        yield server


@pytest.fixture
def no_traceback(server: Server) -> Iterator[None]:
    """Fail a test after which a traceback stands in the server's log."""
    before = len(server.log())
    yield
    assert "Traceback" not in server.log()[before:]


@pytest.fixture
def session_name() -> str:
    """A name for a session that no other test has."""
    return f"session-{uuid.uuid4().hex}"
