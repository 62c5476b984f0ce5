"""The way over a proxy, and what goes wrong on it."""

import ssl
from pathlib import Path

import pytest

from app.http_client import HttpClient, HttpConnectFailed, HttpProxyRefused
from app.http_client.proxies import Proxies, Proxy
from tests.http_client.conftest import MakePeer
from tests.servers.http_proxy import HttpProxy
from tests.servers.peer import CHUNKED_HEAD, LAST_CHUNK, Link, Peer, answer_each, chunk, whole
from tests.servers.upstream import refused_url


def over(proxy: HttpProxy | str, url: str, tls: ssl.SSLContext, **options: float) -> HttpClient:
    address = proxy if isinstance(proxy, str) else proxy.url
    proxies = Proxies({"all": Proxy.parse(address)})
    return HttpClient(url, ssl_context=tls, proxies=proxies, **options)  # type: ignore[arg-type]


@pytest.fixture(params=["http", "https"])
def proxy_certificate(request: pytest.FixtureRequest, certificate: Path) -> Path | None:
    """What follows holds for a proxy with and without TLS of its own."""
    return certificate if request.param == "https" else None


def test_request_goes_over_the_proxy(
    peer: MakePeer, scheme: str, proxy_certificate: Path | None, tls_context: ssl.SSLContext
) -> None:
    server = peer(answer_each)
    authority = server.url.partition("://")[2]
    with HttpProxy(certificate=proxy_certificate, user="me:secret") as proxy:
        http = over(proxy, server.url, tls_context)

        answers = [http.request("POST", "/v1/x", body=b"hi").body for _ in range(3)]

    asked = f"http://{authority}/v1/x" if scheme == "http" else "/v1/x"
    assert answers == [f"POST {asked} HTTP/1.1".encode()] * 3
    first = f"CONNECT {authority}" if scheme == "https" else f"POST http://{authority}/v1/x"
    assert len(proxy.heads) == server.connections == 1
    assert proxy.heads[0].startswith(f"{first} HTTP/1.1\r\nHost: {authority}\r\n")
    assert proxy.heads[0].count("Proxy-Authorization: Basic bWU6c2VjcmV0") == 1


def test_password_of_the_proxy_never_reaches_the_server(
    certificate: Path, tls_context: ssl.SSLContext
) -> None:
    came: list[bytes] = []

    def handle(link: Link) -> None:
        came.append(link.request())
        link.send(whole(b"ok"))

    with Peer(handle, certificate=certificate) as server, HttpProxy(user="me:secret") as proxy:
        over(proxy, server.url, tls_context).request("GET", "/")

    assert b"Proxy-Authorization" not in came[0]


def test_stream_comes_over_the_proxy(
    peer: MakePeer, proxy_certificate: Path | None, tls_context: ssl.SSLContext
) -> None:
    said = [b"x" * size for size in (1, 20_000, 70_000)]

    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD + b"".join(map(chunk, said)) + LAST_CHUNK)

    received: list[bytes] = []
    with HttpProxy(certificate=proxy_certificate) as proxy:
        http = over(proxy, peer(handle).url, tls_context)
        with http.open("POST", "/") as exchange:
            assert exchange.pump(lambda data: bool(received.append(data)) or True)

    assert b"".join(received) == b"".join(said)


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        ("407 Proxy Authentication Required", HttpProxyRefused),
        ("403 Forbidden", HttpProxyRefused),
        ("502 Bad Gateway", HttpConnectFailed),
        ("504 Gateway Timeout", HttpConnectFailed),
    ],
)
def test_proxy_that_opens_no_tunnel(
    status: str, failure: type[Exception], tls_context: ssl.SSLContext
) -> None:
    with HttpProxy(status=status) as proxy, pytest.raises(HttpConnectFailed) as failed:
        over(proxy, "https://api.example:8443", tls_context).request("GET", "/")

    assert status[:3] in str(failed.value)
    assert type(failed.value) is failure
    assert "api.example:8443" in str(failed.value)


def test_wrong_password_for_the_proxy_is_named_without_it(tls_context: ssl.SSLContext) -> None:
    with HttpProxy(user="me:secret") as proxy:
        http = over(proxy.url.replace("secret", "guess"), "https://api.example", tls_context)
        with pytest.raises(HttpProxyRefused) as refused:
            http.request("GET", "/")

    assert "guess" not in str(refused.value)


@pytest.mark.parametrize("answer", [b"", b"220 smtp.example\r\n", b"HTTP/1.1 200", b"x" * 20_000])
def test_proxy_that_makes_no_sense(answer: bytes, tls_context: ssl.SSLContext) -> None:
    def handle(link: Link) -> None:
        link.request()
        link.send(answer)

    with Peer(handle) as proxy, pytest.raises(HttpConnectFailed, match="proxy"):
        over(proxy.url, "https://api.example", tls_context).request("GET", "/")


def test_proxy_that_is_not_there_is_named(tls_context: ssl.SSLContext) -> None:
    with refused_url() as url, pytest.raises(HttpConnectFailed, match=url.removesuffix("/v1")):
        over(url, "https://api.example", tls_context).request("GET", "/")


@pytest.mark.slow
def test_proxy_that_is_silent_is_given_up_in_time(tls_context: ssl.SSLContext) -> None:
    with Peer(lambda link: link.wait_left()) as proxy, pytest.raises(HttpConnectFailed):
        over(proxy.url, "https://api.example", tls_context, connect_timeout_s=0.1).request(
            "GET", "/"
        )
