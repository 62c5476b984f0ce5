"""A response's body, moved in the hub."""

import gevent
import pytest

from app.http_client import HttpBroken, HttpTimeout
from tests.fakes import Gate, until
from tests.http_client.conftest import MakeClient, MakePeer
from tests.http_client.sink import Sink, pumped
from tests.servers.peer import CHUNKED_HEAD, LAST_CHUNK, Link, chunk


@pytest.mark.slow
def test_large_body(peer: MakePeer, client: MakeClient) -> None:
    body = b"".join(b"%x" % number for number in range(300_000))

    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD)
        for at in range(0, len(body), 70_000):
            link.send(chunk(body[at : at + 70_000]))
        link.send(LAST_CHUNK)

    assert pumped(client(peer(handle))) == (body, None)


def test_refused_piece_pauses_and_nothing_is_lost(peer: MakePeer, client: MakeClient) -> None:
    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD + chunk(b"one"))
        paused.pass_through()
        link.send(chunk(b"two") + LAST_CHUNK)

    paused = Gate()
    sink = Sink(patience=1)
    with client(peer(handle)).open("GET", "/") as exchange:
        assert exchange.pump(sink) is False
        assert sink.body == b"one"
        paused.open()
        gevent.idle()
        assert sink.body == b"one"

        assert exchange.pump(sink) is True

    assert sink.body == b"onetwo"


def test_pumped_connection_is_kept(peer: MakePeer, client: MakeClient) -> None:
    def handle(link: Link) -> None:
        while link.request():
            link.send(CHUNKED_HEAD + chunk(b"ok") + LAST_CHUNK)

    server = peer(handle)
    http = client(server)

    assert [pumped(http) for _ in range(3)] == [(b"ok", None)] * 3
    assert server.connections == 1


@pytest.mark.slow
def test_silence_is_a_timeout(peer: MakePeer, client: MakeClient) -> None:
    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD + chunk(b"half"))
        link.wait_left()

    assert pumped(client(peer(handle), read_timeout_s=0.05)) == (b"half", HttpTimeout)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["http"])
def test_server_that_drips_is_not_silent(peer: MakePeer, client: MakeClient) -> None:
    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD)
        for _ in range(7):
            gevent.sleep(0.05)
            link.send(chunk(b"."))
        link.send(LAST_CHUNK)

    assert pumped(client(peer(handle), read_timeout_s=0.3)) == (b"." * 7, None)


@pytest.mark.slow
def test_silence_of_this_pump_replaces_the_read_timeout(peer: MakePeer, client: MakeClient) -> None:
    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD)
        link.wait_left()

    with (
        client(peer(handle), read_timeout_s=30).open("GET", "/") as exchange,
        pytest.raises(HttpTimeout),
    ):
        exchange.pump(Sink(), silence_s=0.05)


def test_reset_is_broken(peer: MakePeer, client: MakeClient) -> None:
    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD + chunk(b"half"))
        halfway.pass_through()
        link.reset()

    halfway = Gate()
    sink = Sink()
    with client(peer(handle)).open("GET", "/") as exchange:
        pumping = gevent.spawn(exchange.pump, sink)
        until(lambda: sink.body == b"half")
        halfway.open()
        with pytest.raises(HttpBroken):
            pumping.get(timeout=20)


def test_greenlet_killed_in_the_pump_closes_the_connection(
    peer: MakePeer, client: MakeClient
) -> None:
    sink = Sink()

    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD + chunk(b"half"))
        link.wait_left()

    def pump() -> None:
        with http.open("GET", "/") as exchange:
            exchange.pump(sink)

    server = peer(handle)
    http = client(server)
    pumping = gevent.spawn(pump)
    until(lambda: sink.body == b"half")

    pumping.kill()

    server.wait_ended()


@pytest.mark.parametrize("scheme", ["http"])
def test_flood_leaves_the_hub_to_others(peer: MakePeer, client: MakeClient) -> None:
    taken_at_once = [0]

    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD + chunk(bytes(1_000_000)))
        all_sent.open()
        link.wait_left()

    def take(data: bytes) -> bool:
        taken_at_once[-1] += len(data)
        return sum(taken_at_once) < 1_000_000

    all_sent = Gate()
    with client(peer(handle)).open("GET", "/") as exchange:
        all_sent.pass_through()
        each_turn = gevent.get_hub().loop.prepare()
        each_turn.start(lambda: taken_at_once.append(0))
        exchange.pump(take)
        each_turn.stop()
        each_turn.close()

    assert sum(taken_at_once) == 1_000_000
    assert max(taken_at_once) <= 300_000
