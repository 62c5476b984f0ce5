"""Fixtures of the tests of settings."""

import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest


@pytest.fixture(autouse=True)
def empty_environment() -> Iterator[None]:
    with patch.dict(os.environ, {}, clear=True):
        yield
