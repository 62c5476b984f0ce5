"""Where the server listens, and what it believes whoever reaches it."""

import socket
from collections.abc import Iterator

import pytest

from tests.live.exchange import Exchange, request_bytes
from tests.servers.perch import Server
from tests.servers.upstream import Upstream

pytestmark = pytest.mark.sqlite  # nothing of this comes as far as the store

MADE_UP = [
    {"SCRIPT_NAME": "/x"},
    {"PATH_INFO": "/dashboard/login"},
    {"SCRIPT-NAME": "/x"},
    {"X-Script-Name": "/x"},
    {"X-Original-URL": "/dashboard/login"},
    {"X-Rewrite-URL": "/dashboard/login"},
]


@pytest.fixture(scope="module")
def proxied(session_upstream: Upstream) -> Iterator[Server]:
    """A server behind one proxy, with the default of where it listens."""
    with Server.over(
        session_upstream, TRUSTED_PROXY_HOPS="1", DASHBOARD_PASSWORD="a-password-of-the-tests"
    ) as server:
        yield server


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_listens_on_both_families_and_knows_each_client(proxied: Server, host: str) -> None:
    request = request_bytes("GET", f"/v1/from-{len(host)}", {}, None)

    answer = Exchange((host, proxied.port), request).answer()

    assert answer.status == 404
    seen = [
        line["client"] for line in proxied.log_lines() if line.get("id") == answer.json["requestId"]
    ]
    assert seen == [host]


def test_it_listens_where_it_is_told_and_nowhere_else(upstream: Upstream) -> None:
    with Server.over(upstream, HOST="127.0.0.1") as server:
        assert server.request("GET", "/health").status == 200
        for family, host in ((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.2")):
            with socket.socket(family) as elsewhere:
                assert elsewhere.connect_ex((host, server.port)) != 0


@pytest.mark.parametrize("headers", MADE_UP, ids=str)
def test_no_header_leads_around_the_path_of_a_request(
    proxied: Server, headers: dict[str, str]
) -> None:
    for path in ("/x/dashboard/login", "/x"):
        request = request_bytes("GET", path, headers, None)

        assert Exchange(proxied.address, request).answer().status == 404


@pytest.mark.parametrize(
    ("headers", "scheme"),
    [
        ({"X-Forwarded-Proto": "https"}, "https"),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "off"}, "https"),
        ({"X-Forwarded-Ssl": "on"}, "http"),
        ({"X_Forwarded_Proto": "https"}, "http"),
        ({}, "http"),
    ],
)
def test_one_header_tells_the_scheme(proxied: Server, headers: dict[str, str], scheme: str) -> None:
    request = request_bytes("GET", "/v1/openapi.json", {"Host": "a.test", **headers}, None)

    servers = Exchange(proxied.address, request).answer().json["servers"]

    assert servers == [{"url": f"{scheme}://a.test"}]


def test_request_without_a_host_is_answered(proxied: Server) -> None:
    answer = Exchange(proxied.address, b"GET /v1/openapi.json HTTP/1.0\r\n\r\n").answer()

    assert answer.status == 200
