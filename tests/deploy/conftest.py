"""Fixtures of the deployment tests: what each platform gets to run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy import platforms
from tests.servers.upstream import Upstream


@pytest.fixture(scope="session")
def app_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of the project, without what only a developer has."""
    folder = tmp_path_factory.mktemp("checkout")
    platforms.checkout(folder)
    return folder


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Docker image holds under /app."""
    folder = tmp_path_factory.mktemp("image")
    platforms.image_files(folder)
    return folder


@pytest.fixture(scope="session")
def session_upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(session_upstream: Upstream) -> Upstream:
    """The scripted model, forgetful of the tests before."""
    session_upstream.reset()
    return session_upstream
