"""Fixtures of the tests that start a real redis-server; all of them carry the mark ``redis``."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clock import Clock
from tests.redis_server import RedisServer

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.redis)


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server.start()


@pytest.fixture
def redis(shared_redis: RedisServer) -> RedisServer:
    """A Redis that runs and is empty; tests that stop it start their own."""
    with shared_redis.client() as client:
        client.flushall()
    return shared_redis


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis of the test's own, not started."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()
