"""Requests to one server, its connections kept, each fault in time."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent
import pytest

from app.http_client import HttpBroken, HttpClient, HttpConnectFailed, HttpTimeout
from tests.fakes import Gate, until
from tests.http_client.conftest import MakeClient, MakePeer
from tests.servers.peer import CHUNKED_HEAD, Link, Peer, chunk, whole
from tests.servers.upstream import black_hole_url, refused_url

LARGE = 16 * 1024 * 1024  # more than a connection's buffers hold


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began_at = time.monotonic()
    yield
    took_s = time.monotonic() - began_at
    assert took_s < seconds, f"took {took_s:.2f} s"


def answer_each(link: Link) -> None:
    while link.request():
        link.send(whole(b"ok"))


def test_request_as_it_goes_over_the_wire(peer: MakePeer, client: MakeClient) -> None:
    came: list[bytes] = []

    def handle(link: Link) -> None:
        came.append(link.request())
        link.send(whole(b"yes", "201 Created", "X-Kind: test"))

    server = peer(handle)

    response = client(server).request(
        "POST", "/v1/x?y=1", body="grüße".encode(), headers=[("X-Name", "value")]
    )

    authority = server.url.partition("://")[2].encode()
    assert came == [
        b"POST /v1/x?y=1 HTTP/1.1\r\n"
        b"Host: " + authority + b"\r\n"
        b"Accept-Encoding: identity\r\n"
        b"X-Name: value\r\n"
        b"Content-Length: 7\r\n"
        b"\r\n" + "grüße".encode()
    ]
    assert (response.status, response.body) == (201, b"yes")
    assert response.header("x-KIND") == "test"
    assert response.header("absent") is None


def test_path_of_the_base_url_comes_first(peer: MakePeer) -> None:
    came: list[bytes] = []

    def handle(link: Link) -> None:
        came.append(link.request())
        link.send(whole(b""))

    with Peer(handle) as server:
        HttpClient(f"{server.url}/base/").request("GET", "/x")

    assert came[0].startswith(b"GET /base/x HTTP/1.1\r\n")


@pytest.mark.parametrize("url", ["ftp://host", "host", "http://", "http:///path", "http://h:port"])
def test_url_of_nowhere_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        HttpClient(url)


def test_connection_is_kept_for_the_next_request(peer: MakePeer, client: MakeClient) -> None:
    server = peer(answer_each)
    http = client(server)

    for _ in range(3):
        assert http.request("GET", "/").body == b"ok"

    assert server.connections == 1
    assert http.connections_made == 1


@pytest.mark.parametrize(
    "response",
    [
        whole(b"ok", "200 OK", "Connection: close"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_connection_that_the_server_closes_is_not_kept(
    peer: MakePeer, client: MakeClient, response: bytes
) -> None:
    def handle(link: Link) -> None:
        link.request()
        link.send(response)
        link.wait_left()

    server = peer(handle)
    http = client(server)

    for _ in range(2):
        assert http.request("GET", "/").body == b"ok"

    assert server.connections == 2


def test_connection_of_a_response_half_read_is_not_kept(peer: MakePeer, client: MakeClient) -> None:
    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD + chunk(b"half"))
        link.wait_left()

    server = peer(handle, answer_each)
    http = client(server)

    with http.open("GET", "/") as exchange:
        assert exchange.pump(lambda piece: piece != b"half") is False
    server.wait_ended(0)

    assert http.request("GET", "/").body == b"ok"
    assert server.connections == 2


def test_what_was_not_asked_for_answers_nothing(peer: MakePeer, client: MakeClient) -> None:
    def handle(link: Link) -> None:
        link.request()
        link.send(whole(b"one"))
        link.send(whole(b"not asked for"))
        link.wait_left()

    def handle_next(link: Link) -> None:
        link.request()
        link.send(whole(b"two"))

    http = client(peer(handle, handle_next))

    assert [http.request("GET", "/").body for _ in range(2)] == [b"one", b"two"]


def test_connection_closed_while_idle_is_not_used_again(peer: MakePeer, client: MakeClient) -> None:
    def answer_once(link: Link) -> None:
        link.request()
        link.send(whole(b"ok"))

    server = peer(answer_once, answer_each)
    http = client(server)
    http.request("GET", "/")
    server.wait_ended(0)
    gevent.idle()  # the hub sees that it closed

    response = http.request("GET", "/")

    assert (response.body, response.resent) == (b"ok", False)


def answer_once_then(link: Link, end: Gate) -> None:
    link.request()
    link.send(whole(b"ok"))
    link.request()
    end.pass_through()
    link.close()


def test_request_on_a_dying_connection_is_sent_again(peer: MakePeer, client: MakeClient) -> None:
    end = Gate()
    end.open()
    server = peer(lambda link: answer_once_then(link, end), answer_each)
    http = client(server)
    http.request("GET", "/")

    response = http.request("GET", "/")

    assert (response.body, response.resent) == (b"ok", True)
    assert server.connections == 2


def test_request_that_kills_servers_is_sent_twice_at_most(
    peer: MakePeer, client: MakeClient
) -> None:
    both_idle = Gate()
    killed: list[bytes] = []

    def die(link: Link) -> None:
        killed.append(link.request())

    def answer_and_die(link: Link) -> None:
        link.request()
        both_idle.pass_through()
        link.send(whole(b"ok"))
        die(link)

    server = peer(answer_and_die, answer_and_die, die)
    http = client(server)
    pair = [gevent.spawn(http.request, "GET", "/") for _ in range(2)]
    until(lambda: server.connections == 2)
    both_idle.open()
    gevent.joinall(pair, timeout=20, raise_error=True)

    with pytest.raises(HttpBroken):
        http.request("POST", "/poison")

    assert len(killed) == 2


def test_fresh_connection_closed_without_an_answer_is_broken(
    peer: MakePeer, client: MakeClient
) -> None:
    server = peer(Link.request)

    with pytest.raises(HttpBroken):
        client(server).request("GET", "/")

    assert server.connections == 1


def test_only_so_many_connections_are_kept(peer: MakePeer, client: MakeClient) -> None:
    all_there = Gate()

    def handle(link: Link) -> None:
        while link.request():
            all_there.pass_through()
            link.send(whole(b"ok"))

    server = peer(handle)
    http = client(server, max_idle=2)
    requests = [gevent.spawn(http.request, "GET", "/") for _ in range(4)]
    until(lambda: server.connections == 4)
    all_there.open()
    gevent.joinall(requests, timeout=20, raise_error=True)

    requests = [gevent.spawn(http.request, "GET", "/") for _ in range(4)]
    gevent.joinall(requests, timeout=20, raise_error=True)

    assert server.connections == 6


@pytest.mark.slow
def test_silent_server_is_a_timeout(peer: MakePeer, client: MakeClient) -> None:
    server = peer(lambda link: link.wait_left())

    with within(10), pytest.raises(HttpTimeout):
        client(server, read_timeout_s=0.05).request("GET", "/")

    server.wait_ended()


@pytest.mark.slow
def test_server_silent_in_the_body_is_a_timeout(peer: MakePeer, client: MakeClient) -> None:
    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD + chunk(b"half"))
        link.wait_left()

    with within(10), pytest.raises(HttpTimeout):
        client(peer(handle), read_timeout_s=0.05).request("GET", "/")


@pytest.mark.slow
def test_server_that_drips_meets_the_deadline(peer: MakePeer, client: MakeClient) -> None:
    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD)
        for _ in range(500):
            link.send(chunk(b"."))
            gevent.sleep(0.01)

    with within(10), pytest.raises(HttpTimeout):
        client(peer(handle), read_timeout_s=1).request("GET", "/", deadline_s=0.1)


@pytest.mark.slow
def test_server_that_takes_no_data_is_a_timeout(peer: MakePeer, client: MakeClient) -> None:
    closed = Gate()
    server = peer(lambda _: closed.pass_through())

    with within(10), pytest.raises(HttpTimeout):
        client(server, read_timeout_s=0.1).request("POST", "/", body=bytes(LARGE))

    closed.open()


@pytest.mark.slow
def test_waiting_to_send_leaves_the_hub_to_others(peer: MakePeer, client: MakeClient) -> None:
    reading = Gate()

    def handle(link: Link) -> None:
        reading.pass_through()
        assert len(link.request()) > LARGE
        link.send(whole(b"ok"))

    http = client(peer(handle))
    sending = gevent.spawn(http.request, "POST", "/", body=bytes(LARGE))
    reading.wait_reached()
    gevent.idle()

    reading.open()  # this greenlet runs at all

    assert sending.get(timeout=20).body == b"ok"


def test_refused_connection() -> None:
    with refused_url() as url, within(2.9), pytest.raises(HttpConnectFailed):
        HttpClient(url).request("GET", "/")


def test_connection_that_is_never_made_times_out() -> None:
    with black_hole_url() as url, within(2.9), pytest.raises(HttpConnectFailed):
        HttpClient(url, connect_timeout_s=0.05).request("GET", "/")


def test_deadline_counts_while_connecting() -> None:
    with black_hole_url() as url, within(2.9), pytest.raises(HttpConnectFailed):
        HttpClient(url, connect_timeout_s=30).request("GET", "/", deadline_s=0.05)


def test_name_that_nobody_has() -> None:
    with pytest.raises(HttpConnectFailed):
        HttpClient("http://nobody.invalid").request("GET", "/")


def test_server_that_speaks_no_tls(tls_context: ssl.SSLContext) -> None:
    def handle(link: Link) -> None:
        link.send(b"220 smtp.example\r\n")
        link.wait_left()

    with Peer(handle) as server:
        http = HttpClient(server.url.replace("http:", "https:"), ssl_context=tls_context)
        with within(2.9), pytest.raises(HttpConnectFailed):
            http.request("GET", "/")


@pytest.mark.slow
def test_tls_handshake_that_hangs(tls_context: ssl.SSLContext) -> None:
    with Peer(lambda link: link.wait_left()) as server, within(2.9):
        url = server.url.replace("http:", "https:")
        http = HttpClient(url, ssl_context=tls_context, connect_timeout_s=0.1)
        with pytest.raises(HttpConnectFailed):
            http.request("GET", "/")


def test_certificate_that_nobody_vouches_for(certificate: Path) -> None:
    with Peer(answer_each, certificate=certificate) as server, pytest.raises(HttpConnectFailed):
        HttpClient(server.url).request("GET", "/")


def test_certificate_of_another_name(certificate: Path, tls_context: ssl.SSLContext) -> None:
    with Peer(answer_each, certificate=certificate) as server:
        http = HttpClient(server.url.replace("0.0.1", "0.0.2"), ssl_context=tls_context)
        with pytest.raises(HttpConnectFailed):
            http.request("GET", "/")


@pytest.mark.slow
def test_many_greenlets_at_once(peer: MakePeer, client: MakeClient) -> None:
    def echo(link: Link) -> None:
        while request := link.request():
            link.send(whole(request.partition(b"\r\n\r\n")[2]))

    http = client(peer(echo), max_idle=8)
    bodies = [f"body {number}".encode() for number in range(50)]

    requests = [gevent.spawn(http.request, "POST", "/", body=body) for body in bodies]
    gevent.joinall(requests, timeout=10, raise_error=True)

    assert [request.value.body for request in requests] == bodies
