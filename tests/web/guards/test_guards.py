"""Guards together: keys, HTTPS, addresses and limits of a whole application."""

from typing import TYPE_CHECKING

import pytest

from tests.web.guards.asking import SHOP, SITE, ask

if TYPE_CHECKING:
    from tests.conftest import MakeApp


PRODUCTION = {
    "APP_ENV": "production",
    "OPENAI_API_KEY": "sk-of-the-unit-tests",
    "CORS_ORIGIN": f"{SITE},{SHOP}",
}


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("the-old-key-of-the-tests", 200),
        ("the-new-key-of-the-tests", 200),
        ("the-old-key-of-the-tests, the-new-key-of-the-tests", 401),
        ("", 401),
    ],
)
def test_any_of_several_keys_opens(make_app: "MakeApp", key: str, status: int) -> None:
    keys = "the-old-key-of-the-tests, the-new-key-of-the-tests"
    client = make_app(WIDGET_API_KEY=keys, ADMIN_API_KEY=keys).test_client()

    opened = client.post("/v1/session", json={}, headers={"x-api-key": key})
    read = client.get("/v1/admin/stats", headers={"x-admin-api-key": key})

    assert (opened.status_code, read.status_code) == (status, status)


def test_production_insists_on_https_for_a_year(make_app: "MakeApp") -> None:
    headers = make_app(**PRODUCTION).test_client().get("/health").headers

    assert headers["Strict-Transport-Security"] == "max-age=31536000"


def test_production_insists_for_subdomains_where_it_is_asked_to(make_app: "MakeApp") -> None:
    headers = make_app(**PRODUCTION, HSTS_SUBDOMAINS="true").test_client().get("/health").headers

    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_production_does_not_redirect_health_checks(make_app: "MakeApp") -> None:
    assert make_app(**PRODUCTION).test_client().get("/health").status_code == 200


def test_two_applications_in_one_process_do_not_share_their_guards(make_app: "MakeApp") -> None:
    make_app(WIDGET_API_KEY="another-key-of-the-unit-tests")
    other = make_app().test_client()

    assert ask(other).status_code == 200


@pytest.mark.parametrize(
    ("variables", "headers"),
    [
        ({}, {"X_Forwarded_For": "{}"}),
        ({"TRUSTED_PROXY_HOPS": "1"}, {"X_Forwarded_For": "{}, 203.0.113.7"}),
        ({"CLIENT_IP_HEADER": "X-Real-IP"}, {"X_Forwarded_For": "{}", "X_Real_IP": "203.0.113.7"}),
    ],
)
def test_spoofed_address_does_not_dodge_the_limit(
    make_app: "MakeApp", variables: dict[str, str], headers: dict[str, str]
) -> None:
    client = make_app(RATE_LIMIT_MAX_REQUESTS="2", **variables).test_client()

    statuses = [
        ask(client, **{name: value.format(f"6.6.6.{n}") for name, value in headers.items()})
        for n in range(4)
    ]

    assert [each.status_code for each in statuses] == [200, 200, 429, 429]


def test_stranger_at_the_port_is_not_believed_like_the_proxy(make_app: "MakeApp") -> None:
    client = make_app(RATE_LIMIT_MAX_REQUESTS="2", TRUSTED_PROXY_HOPS="1").test_client()
    client.environ_base["REMOTE_ADDR"] = "198.51.100.9"

    statuses = [ask(client, X_Forwarded_For=f"6.6.6.{n}").status_code for n in range(4)]

    assert statuses == [200, 200, 429, 429]


@pytest.mark.parametrize(
    "form", ["203.0.113.{}:51234", '"[2001:db8:0:{}::1]:443"', "[2001:db8:0:{}::1]"]
)
def test_addresses_with_ports_and_brackets_are_told_apart(make_app: "MakeApp", form: str) -> None:
    client = make_app(RATE_LIMIT_MAX_REQUESTS="1", TRUSTED_PROXY_HOPS="1").test_client()

    statuses = [ask(client, X_Forwarded_For=form.format(n)).status_code for n in range(4)]

    assert statuses == [200] * 4


def test_limits_hold_before_the_key_and_for_chats_only(make_app: "MakeApp") -> None:
    client = make_app(RATE_LIMIT_MAX_REQUESTS="1").test_client()
    ask(client)

    assert ask(client, x_api_key="wrong").status_code == 429
    assert client.get("/health").status_code == 200
    assert client.options("/v1/chat").status_code == 401
