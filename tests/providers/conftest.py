"""Fixtures of the tests that have a provider's server."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.providers import find_providers
from tests.providers.server import make_certificate


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for the hosts of all providers."""
    hosts = {urlsplit(provider().base).hostname or "" for provider in find_providers()}
    return make_certificate(tmp_path_factory.mktemp("providers"), sorted(hosts))
