"""Fixtures of the dashboard's tests."""

from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.dashboard.door import PASSWORD, SECRETS, sign_in

if TYPE_CHECKING:
    from tests.conftest import MakeApp


@pytest.fixture
def app(make_app: "MakeApp") -> Flask:
    return make_app(
        DASHBOARD_PASSWORD=PASSWORD,
        SECRET_KEY=SECRETS[0],
        MODEL_PRICES="gpt-4.1=2/8",
        OPENAI_API_KEY="sk-never-shown",
    )


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def operator(app: Flask) -> FlaskClient:
    client = app.test_client()
    assert sign_in(client).status_code == 303
    return client
