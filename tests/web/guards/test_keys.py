"""Which keys open, in which headers; how often wrong ones may be tried is in tests/routes."""

import pytest
from werkzeug.test import EnvironBuilder

from app.domain.errors import NotConfigured, Unauthorized
from app.web.current_request import Request
from app.web.guards.keys import AdminKeys, Keys

KEYS = Keys(["the-old-key", "der-neue-Schlüssel"], "x-api-key", "Authorization")


def a_request(**headers: str) -> Request:
    environ = EnvironBuilder().get_environ()
    return Request({**environ, **{f"HTTP_{name}": value for name, value in headers.items()}})


@pytest.mark.parametrize(
    "headers",
    [
        {"X_API_KEY": "the-old-key"},
        {"X_API_KEY": "Bearer the-old-key"},
        {"X_API_KEY": "der-neue-Schlüssel"},
        {"AUTHORIZATION": "Bearer the-old-key"},
        {"X_API_KEY": "the-old-key", "AUTHORIZATION": "Bearer of-a-proxy"},
    ],
)
def test_any_key_opens_in_the_first_header_that_came(headers: dict[str, str]) -> None:
    KEYS.require(a_request(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_API_KEY": ""},
        {"X_API_KEY": "the-old-key "},
        {"X_API_KEY": "the-old-key\udcff"},
        {"X_API_KEY": "wrong", "AUTHORIZATION": "Bearer the-old-key"},
        {"X_ADMIN_API_KEY": "the-old-key"},
    ],
)
def test_nothing_else_opens(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthorized):
        KEYS.require(a_request(**headers))


def test_without_any_key_nothing_opens() -> None:
    with pytest.raises(Unauthorized):
        Keys([], "x-api-key").require(a_request(X_API_KEY=""))


def test_without_any_key_an_operator_is_told_to_set_one() -> None:
    with pytest.raises(NotConfigured):
        AdminKeys([], "x-admin-api-key").require(a_request(X_ADMIN_API_KEY="a-key"))
