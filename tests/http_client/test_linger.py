"""Waiting for the end of a response that is known already."""

import pytest

from app.http_client import HttpClient
from tests.fakes import Gate, until
from tests.http_client.conftest import MakeClient, MakePeer
from tests.servers.peer import CHUNKED_HEAD, LAST_CHUNK, Link, chunk, whole


def lingering(http: HttpClient) -> None:
    """Take ``[DONE]``, and leave before the body's end has come."""
    with http.open("GET", "/") as exchange:
        assert exchange.pump(lambda data: b"[DONE]" not in data) is False
        exchange.linger()


def test_lingering_waits_for_the_end_and_keeps_the_connection(
    peer: MakePeer, client: MakeClient
) -> None:
    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD + chunk(b"[DONE]"))
        left.pass_through()
        link.send(LAST_CHUNK)
        while link.request():
            link.send(whole(b"next"))

    left = Gate()
    server = peer(handle)
    http = client(server)

    lingering(http)
    left.wait_reached()
    left.open()
    until(lambda: http._idle)

    assert http.request("GET", "/").body == b"next"
    assert server.connections == 1


def test_lingering_reads_all_that_came_with_the_last_words(
    peer: MakePeer, client: MakeClient
) -> None:
    def handle(link: Link) -> None:
        link.request()
        for piece in (CHUNKED_HEAD + chunk(b"[DONE]"), LAST_CHUNK[:3], LAST_CHUNK[3:]):
            link.send(piece)
        while link.request():
            link.send(whole(b"next"))

    server = peer(handle)
    http = client(server)

    lingering(http)

    assert http.request("GET", "/").body == b"next"
    assert server.connections == 1


@pytest.mark.slow
@pytest.mark.parametrize("rest", [b"", b"nonsense\r\n", chunk(b"more")])
def test_lingering_gives_up(
    peer: MakePeer, client: MakeClient, rest: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.http_client.linger._LINGER_S", 0.05)

    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD + chunk(b"[DONE]"))
        left.pass_through()
        link.send(rest)
        link.wait_left()

    left = Gate()
    server = peer(handle)

    lingering(client(server))
    left.wait_reached()
    left.open()

    server.wait_ended()  # the client closed
