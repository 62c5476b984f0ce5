"""One response as it comes in: how it is framed, and how it breaks."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.http_client import Exchange, HttpBroken, HttpFailure
from app.http_client import exchange as exchange_module
from tests.http_client.conftest import MakeClient, MakePeer
from tests.http_client.responses import BROKEN, FRAMED
from tests.servers.peer import CHUNKED_HEAD, Link, chunk, whole


def served(peer: MakePeer, client: MakeClient, *pieces: bytes) -> Exchange:
    """The exchange with a server that sends these pieces and closes."""

    def handle(link: Link) -> None:
        link.request()
        for piece in pieces:
            link.send(piece)

    return client(peer(handle)).open("GET", "/")


@pytest.mark.parametrize("response", FRAMED.values(), ids=FRAMED)
def test_body_comes_whole_however_it_is_framed(
    peer: MakePeer, client: MakeClient, response: bytes
) -> None:
    with served(peer, client, response) as exchange:
        body = exchange.read_all()

    assert body == (b"" if b" 204 " in response or b"Length: 0" in response else b"hello")
    assert exchange.status in (200, 204)
    assert exchange.header("link") is None


@pytest.mark.parametrize("response", FRAMED.values(), ids=FRAMED)
def test_body_comes_whole_byte_by_byte(peer: MakePeer, client: MakeClient, response: bytes) -> None:
    pieces = [response[at : at + 1] for at in range(len(response))]
    with served(peer, client, *pieces) as exchange:
        body = exchange.read_all()

    assert body == (b"" if b" 204 " in response or b"Length: 0" in response else b"hello")


@pytest.mark.parametrize("response", BROKEN.values(), ids=BROKEN)
def test_what_is_not_whole_is_broken(peer: MakePeer, client: MakeClient, response: bytes) -> None:
    with pytest.raises(HttpBroken), served(peer, client, response) as exchange:
        exchange.read_all()


def test_connection_that_is_reset_is_broken(peer: MakePeer, client: MakeClient) -> None:
    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD + chunk(b"half"))
        link.reset()

    with pytest.raises(HttpBroken), client(peer(handle)).open("GET", "/") as exchange:
        exchange.read_all()


def test_body_without_end_is_refused(
    peer: MakePeer, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_module, "_MAX_BODY_BYTES", 20_000)

    with pytest.raises(HttpBroken), served(peer, client, whole(bytes(50_000))) as exchange:
        exchange.read_all()


def test_what_follows_a_response_does_not_reach_the_next_request(
    peer: MakePeer, client: MakeClient
) -> None:
    def say_too_much(link: Link) -> None:
        link.request()
        link.send(whole(b"mine") + whole(b"smuggled"))
        link.wait_left()

    def answer(link: Link) -> None:
        link.request()
        link.send(whole(b"also mine"))

    http = client(peer(say_too_much, answer))

    assert http.request("GET", "/").body == b"mine"
    assert http.request("GET", "/").body == b"also mine"


def test_exchange_that_was_left_reads_no_more(peer: MakePeer, client: MakeClient) -> None:
    with served(peer, client, CHUNKED_HEAD) as exchange:
        pass

    with pytest.raises(HttpBroken):
        exchange.read_all()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    junk=st.binary(max_size=200), head=st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", CHUNKED_HEAD])
)
def test_junk_is_a_body_or_a_failure(
    peer: MakePeer, client: MakeClient, scheme: str, junk: bytes, head: bytes
) -> None:
    try:
        with served(peer, client, head + junk) as exchange:
            exchange.read_all()
    except HttpFailure:
        pass
