"""The way to a server: over proxies, and past addresses that swallow what is sent to them."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent import socket

from app.http_client import HttpClient, HttpConnectFailed, HttpProxyRefused
from app.http_client.happy_eyeballs import connect_first, resolve
from app.http_client.proxies import Proxies, Proxy
from tests.http_client.conftest import MakePeer
from tests.http_proxy import HttpProxy
from tests.peer import CHUNKED_HEAD, LAST_CHUNK, Link, Peer, chunk, whole
from tests.upstream import black_hole_url, refused_url

Info = tuple[int, int, int, str, Any]
MakeProxy = Callable[..., HttpProxy]


def answer_each(link: Link) -> None:
    while request := link.request():
        link.send(whole(request.split(b"\r\n")[0]))


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


def test_proxy_that_is_silent_is_given_up_in_time(tls_context: ssl.SSLContext) -> None:
    with Peer(lambda link: link.wait_left()) as proxy, pytest.raises(HttpConnectFailed):
        over(proxy.url, "https://api.example", tls_context, connect_timeout_s=0.1).request(
            "GET", "/"
        )


def info(address: str, port: int) -> Info:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.SOCK_STREAM, 6, "", (address, port)


def names(monkeypatch: pytest.MonkeyPatch, *found: Info) -> list[object]:
    """Let every name have these addresses; return the names that were looked up."""
    asked: list[object] = []

    def getaddrinfo(host: str, *_: object, **__: object) -> list[Info]:
        asked.append(host)
        return list(found)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def port_of(url: str) -> int:
    return int(url.partition("://")[2].partition("/")[0].rpartition(":")[2])


@pytest.mark.parametrize("holes", [1, 2])
def test_address_that_swallows_everything_is_passed_by(
    monkeypatch: pytest.MonkeyPatch, holes: int
) -> None:
    with black_hole_url() as hole, Peer(answer_each) as server:
        dead = [info("127.0.0.1", port_of(hole))] * holes
        asked = names(monkeypatch, *dead, info("127.0.0.1", port_of(server.url)))

        response = HttpClient("http://model.example", connect_timeout_s=20).request("GET", "/")

    assert response.status == 200
    assert asked == ["model.example"]


def test_all_addresses_together_have_the_time_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with black_hole_url() as hole:
        names(monkeypatch, *[info("127.0.0.1", port_of(hole))] * 20)

        with pytest.raises(HttpConnectFailed, match="too long"):
            HttpClient("http://model.example", connect_timeout_s=0.6).request("GET", "/")


def test_address_that_refuses_is_passed_by_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.http_client.happy_eyeballs._NEXT_ADDRESS_S", 1000)
    with refused_url() as refused, Peer(answer_each) as server:
        names(
            monkeypatch,
            info("127.0.0.1", port_of(refused)),
            info("127.0.0.1", port_of(server.url)),
        )

        assert HttpClient("http://model.example").request("GET", "/").status == 200


def test_last_error_is_told_when_none_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    with refused_url() as refused:
        names(monkeypatch, *[info("127.0.0.1", port_of(refused))] * 3)

        with pytest.raises(HttpConnectFailed, match="refused"):
            HttpClient("http://model.example").request("GET", "/")


def test_families_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    six, four = socket.AF_INET6, socket.AF_INET
    names(
        monkeypatch,
        info("::1", 1),
        info("::2", 1),
        info("::3", 1),
        info("127.0.0.1", 1),
        info("127.0.0.2", 1),
    )

    def order(family: int | None) -> list[int]:
        return [each for each, _ in resolve("model.example", 1, family)]

    assert order(None) == [six, four, six, four, six]
    assert order(four) == [four, six, four, six, six]
    assert order(six) == order(None)


def test_family_that_won_is_tried_first_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    monkeypatch.setattr(
        "app.http_client.happy_eyeballs._connect",
        lambda address: tried.append(address[0]) or connect(address),
    )

    def connect(address: Any) -> Any:
        if address[0] == socket.AF_INET6:
            raise OSError("no route to host")
        return socket.create_connection(address[1])

    def close_each(link: Link) -> None:
        link.request()
        link.send(whole(b"", "200 OK", "Connection: close"))

    with Peer(close_each) as server:
        port = port_of(server.url)
        names(monkeypatch, info("::1", port), info("127.0.0.1", port))
        http = HttpClient("http://model.example")

        for _ in range(2):
            http.request("GET", "/")

    assert tried == [socket.AF_INET6, socket.AF_INET, socket.AF_INET]


def test_sockets_of_those_that_lost_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    real = socket.socket
    monkeypatch.setattr(
        socket, "socket", lambda *args, **kwargs: made.append(real(*args, **kwargs)) or made[-1]
    )
    with black_hole_url() as hole, Peer(answer_each) as server:
        made.clear()
        names(
            monkeypatch,
            info("127.0.0.1", port_of(hole)),
            info("127.0.0.1", port_of(server.url)),
        )

        sock, family = connect_first("model.example", 1, None)
        socket_of_hole = made[0]
        for _ in range(3):
            gevent.sleep(0)

        assert family == socket.AF_INET
        assert socket_of_hole.closed
        sock.close()
