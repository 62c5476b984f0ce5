"""Fixtures of the commands' tests."""

from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskCliRunner

from app.storage.protocol import ConversationStore

if TYPE_CHECKING:
    from tests.conftest import MakeApp


@pytest.fixture
def runner(make_app: "MakeApp", store: ConversationStore) -> FlaskCliRunner:
    """Runs commands on a store that a server has made."""
    store.ping()
    return make_app(MODEL_PRICES="gpt-4.1=2/8").test_cli_runner()
