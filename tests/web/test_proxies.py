"""What a proxy is believed about our own address, and which peer is one."""

from collections.abc import Iterable
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app.web.proxies import ForwardedHeaders, TrustedProxies

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def seen(peer: str = "127.0.0.1", prefix: str | None = None, **headers: str) -> tuple[str, str]:
    """The scheme and the path before ours, as the application behind it sees them."""
    found: list[tuple[str, str]] = []

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        found.append((environ["wsgi.url_scheme"], environ["SCRIPT_NAME"]))
        start_response("200 OK", [])
        return []

    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    environ = EnvironBuilder(headers=fields).get_environ()
    environ["REMOTE_ADDR"] = peer
    run_wsgi_app(ForwardedHeaders(application, TrustedProxies(), prefix), environ)
    return found[0]


@pytest.mark.parametrize(
    ("told", "scheme"),
    [
        ("https", "https"),
        ("HTTPS", "https"),
        ("http, https", "https"),
        ("https,http", "http"),
        ("http", "http"),
        ("", "http"),
        ("javascript", "http"),
        ("https://evil.test/", "http"),
    ],
)
def test_the_nearest_proxy_tells_the_scheme(told: str, scheme: str) -> None:
    assert seen(X_Forwarded_Proto=told) == (scheme, "")


@pytest.mark.parametrize(
    ("told", "prefix"),
    [
        ("/perch", "/perch"),
        ("/perch/", "/perch"),
        ("/a/b.c~d_e-f", "/a/b.c~d_e-f"),
        ("/evil, /perch", "/perch"),
        ("", ""),
        ("/", ""),
        ("perch", ""),
        ("//evil.test", ""),
        ("/a//b", ""),
        ("/\\evil.test", ""),
        ("/../a", ""),
        ("/a/./b", ""),
        ("/%2e%2e/a", ""),
        ("/a?b", ""),
        ('/"><script>', ""),
        ("/" + "a" * 5000, ""),
    ],
)
def test_the_nearest_proxy_tells_the_path_before_ours(told: str, prefix: str) -> None:
    assert seen(X_Forwarded_Prefix=told) == ("http", prefix)


def test_a_peer_that_is_no_proxy_is_not_believed() -> None:
    told = {"X_Forwarded_Proto": "https", "X_Forwarded_Prefix": "/perch"}

    assert seen("203.0.113.9", **told) == ("http", "")


@pytest.mark.parametrize("prefix", ["", "/ours"])
def test_the_owners_word_for_the_path_wins(prefix: str) -> None:
    assert seen(prefix=prefix, X_Forwarded_Prefix="/theirs") == ("http", prefix)
    assert seen("203.0.113.9", prefix) == ("http", prefix)


def test_what_is_no_address_is_no_proxy() -> None:
    assert not TrustedProxies().include("localhost")
    assert not TrustedProxies([ip_network("10.0.0.0/8")]).include("127.0.0.1")
