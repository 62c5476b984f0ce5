"""Which keys open, in which headers; how often wrong ones may be tried is in tests/routes."""

import pytest
from werkzeug.test import EnvironBuilder

from app.assistants import Assistants
from app.domain.errors import NotConfigured
from app.web.current_request import Request
from app.web.guards.keys import WIDGET_HEADERS, AdminKeys, given_key
from tests.turn_parts import an_assistant

KEYS = ("the-old-key", "der-neue-Schlüssel")
ASSISTANTS = Assistants([an_assistant(keys=KEYS), an_assistant(name="shop", keys=("shops",))])
MONITOR_KEYS = AdminKeys(KEYS, "x-admin-api-key", "Authorization")


def a_request(**headers: str) -> Request:
    environ = EnvironBuilder().get_environ()
    return Request({**environ, **{f"HTTP_{name}": value for name, value in headers.items()}})


def found(**headers: str) -> str | None:
    """Return the id of the assistant that is found by some headers."""
    assistant = ASSISTANTS.of_key(given_key(a_request(**headers).environ, WIDGET_HEADERS))
    return assistant and assistant.id


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X_API_KEY": "the-old-key"}, "default"),
        ({"X_API_KEY": "Bearer the-old-key"}, "default"),
        ({"X_API_KEY": "der-neue-Schlüssel"}, "default"),
        ({"X_WIDGET_API_KEY": "the-old-key"}, "default"),
        ({"X_API_KEY": "the-old-key", "X_WIDGET_API_KEY": "shops"}, "default"),
        ({"X_API_KEY": "shops", "AUTHORIZATION": "Bearer of-a-proxy"}, "shop"),
        ({}, None),
        ({"X_API_KEY": ""}, None),
        ({"X_API_KEY": "the-old-key "}, None),
        ({"X_API_KEY": "the-old-key\udcff"}, None),
        ({"X_API_KEY": "wrong", "X_WIDGET_API_KEY": "the-old-key"}, None),
        ({"AUTHORIZATION": "Bearer the-old-key"}, None),
        ({"X_ADMIN_API_KEY": "the-old-key"}, None),
    ],
)
def test_first_header_that_came_tells_the_assistant(
    headers: dict[str, str], expected: str | None
) -> None:
    assert found(**headers) == expected


def test_without_any_key_nothing_opens() -> None:
    assert Assistants([an_assistant()]).of_key("") is None


@pytest.mark.parametrize(
    "headers",
    [
        {"X_ADMIN_API_KEY": "der-neue-Schlüssel"},
        {"AUTHORIZATION": "Bearer the-old-key"},
        {"X_ADMIN_API_KEY": "the-old-key", "AUTHORIZATION": "Bearer of-a-proxy"},
    ],
)
def test_any_of_an_operators_keys_opens(headers: dict[str, str]) -> None:
    MONITOR_KEYS.require(a_request(**headers))


def test_without_any_key_an_operator_is_told_to_set_one() -> None:
    with pytest.raises(NotConfigured):
        AdminKeys([], "x-admin-api-key").require(a_request(X_ADMIN_API_KEY="a-key"))
