"""Fixtures of the fault suite; all of it carries the mark ``live``."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.faults.bystander import Bystander
from tests.servers.planted_server import PlantedServer
from tests.servers.upstream import Upstream

HERE = Path(__file__).parent
# Short, so that the tests are; those of the store longer than a bystander's patience.
DEADLINES = {
    "MODEL_CONNECT_TIMEOUT_S": "0.4",
    "MODEL_FIRST_TOKEN_TIMEOUT_S": "1",
    "MODEL_READ_TIMEOUT_S": "1",
    "TURN_TIMEOUT_S": "6",
    "STORAGE_TIMEOUT_S": "1.2",
    "LEASE_GRACE_S": "0.5",
    "BUSY_WAIT_S": "0.5",
    "SEND_TIMEOUT_S": "1",
}

Elsewhere = Callable[[PlantedServer], AbstractContextManager[None]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session")
def session_upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(session_upstream: Upstream) -> Upstream:
    """The scripted model, forgetful of the tests before."""
    session_upstream.reset()
    return session_upstream


@pytest.fixture(scope="module")
def brisk(session_upstream: Upstream) -> Iterator[PlantedServer]:
    """A server with short deadlines, for all tests of a file."""
    with PlantedServer.over(session_upstream, **DEADLINES) as server:
        server.warm_up()
        yield server
        assert server.tracebacks() == []


@contextmanager
def nothing_else_suffers(server: PlantedServer) -> Iterator[None]:
    """Hold that another stream is not disturbed, and that every resource comes back."""
    with Bystander(server):
        yield
    server.settle()


@pytest.fixture
def elsewhere() -> Elsewhere:
    """``with elsewhere(server):`` around a fault; see ``nothing_else_suffers``."""
    return nothing_else_suffers
