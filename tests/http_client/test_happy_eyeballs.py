"""Many addresses of one host: the first that connects is taken."""

from typing import Any

import gevent
import pytest
from gevent import socket

from app.http_client import HttpAddressRefused, HttpClient, HttpConnectFailed
from app.http_client.happy_eyeballs import connect_first, resolve
from tests.servers.peer import Link, Peer, answer_each, whole
from tests.servers.upstream import black_hole_url, refused_url

Info = tuple[int, int, int, str, Any]


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


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_addresses_that_are_refused_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(answer_each) as server:
        port = port_of(server.url)
        names(monkeypatch, info("127.0.0.2", port), info("127.0.0.1", port))
        http = HttpClient("http://model.example", vet=lambda address: address == "127.0.0.1")

        assert http.request("GET", "/").status == 200


def test_a_name_with_refused_addresses_only_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, info("10.0.0.1", 80), info("::1", 80))
    http = HttpClient("http://model.example", vet=lambda _address: False)

    with pytest.raises(HttpAddressRefused, match=r"^model\.example is at an address"):
        http.request("GET", "/")


@pytest.mark.slow
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
