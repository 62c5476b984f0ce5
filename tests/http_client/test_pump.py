"""The fast path: the same bytes as the plain twin's, from the hub."""

from functools import partial

import gevent
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.http_client import HttpBroken, HttpClient, HttpFailure, HttpTimeout
from tests.fakes import Gate, until
from tests.http_client.conftest import MakeClient, MakePeer
from tests.peer import CHUNKED_HEAD, LAST_CHUNK, Link, chunk, whole

FIXTURES = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Sink:
    """Takes what the pump hands over; refuses after ``patience`` pieces, once."""

    def __init__(self, patience: int = -1) -> None:
        self.pieces: list[bytes] = []
        self._patience = patience

    def __call__(self, data: bytes) -> bool:
        self.pieces.append(data)
        self._patience -= 1
        return self._patience != 0

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


def pumped(http: HttpClient, refuse_after: int = 0) -> tuple[bytes, type | None]:
    """What the pump brings, and how it fails."""
    sink = Sink(refuse_after or -1)
    try:
        with http.open("GET", "/") as exchange:
            while not exchange.pump(sink):
                pass
    except HttpFailure as error:
        return sink.body, type(error)
    return sink.body, None


def read(http: HttpClient) -> tuple[bytes, type | None]:
    """What the plain twin reads, and how it fails."""
    pieces: list[bytes] = []
    try:
        with http.open("GET", "/") as exchange:
            pieces.extend(iter(exchange.read, b""))
    except HttpFailure as error:
        return b"".join(pieces), type(error)
    return b"".join(pieces), None


def send_one_by_one(pieces: list[bytes], link: Link) -> None:
    link.request()
    for piece in pieces:
        link.send(piece)
        gevent.sleep(0)  # the client reads in between


@st.composite
def responses(draw: st.DrawFn) -> list[bytes]:
    """A response, perhaps cut short, in pieces."""
    body = draw(st.lists(st.binary(min_size=1, max_size=40), max_size=8))
    framing = draw(st.sampled_from(["chunked", "length", "closed"]))
    if framing == "chunked":
        response = CHUNKED_HEAD + b"".join(map(chunk, body)) + LAST_CHUNK
    elif framing == "length":
        response = whole(b"".join(body))
    else:
        response = b"HTTP/1.1 200 OK\r\n\r\n" + b"".join(body)
    response = response[: draw(st.integers(15, len(response)) | st.just(len(response)))]
    cuts = sorted(draw(st.sets(st.integers(1, len(response) - 1), max_size=12)))
    return [response[a:b] for a, b in zip([0, *cuts], [*cuts, len(response)], strict=True)]


@FIXTURES
@given(pieces=responses(), refuse_after=st.integers(0, 3))
def test_pump_brings_what_the_plain_twin_brings(
    peer: MakePeer, client: MakeClient, pieces: list[bytes], refuse_after: int
) -> None:
    server = peer(partial(send_one_by_one, pieces))

    assert pumped(client(server), refuse_after) == read(client(server))


# What a chunk may hold that looks like framing.
LOOKALIKES = (b"\r\n", b"0\r\n\r\n", b"5\r\nhello\r\n", b"a" * 300, b"x")
WRITTEN = (
    b"%x\r\n%b\r\n",
    b"%X\r\n%b\r\n",
    b"0%x\r\n%b\r\n",
    b"%x;name=value\r\n%b\r\n",
    b"+%x\r\n%b\r\n",
)


@FIXTURES
@given(
    chunks=st.lists(
        st.tuples(
            st.sampled_from(WRITTEN[:1] * 6 + WRITTEN[1:]),
            st.lists(st.sampled_from(LOOKALIKES), min_size=1, max_size=3).map(b"".join),
        ),
        max_size=6,
    ),
    joined=st.sets(st.integers(0, 6)),
    end=st.sampled_from([LAST_CHUNK, b"0\r\nTrailer: x\r\n\r\n", b"-2\r\n", b"\r\n", b"3\r\nab"]),
    refuse_after=st.integers(0, 3),
)
def test_whole_chunks_bring_what_the_plain_twin_brings(
    peer: MakePeer,
    client: MakeClient,
    chunks: list[tuple[bytes, bytes]],
    joined: set[int],
    end: bytes,
    refuse_after: int,
) -> None:
    pieces = [CHUNKED_HEAD]
    for number, piece in enumerate([*(form % (len(it), it) for form, it in chunks), end]):
        pieces.append(pieces.pop() + piece if number in joined else piece)

    server = peer(partial(send_one_by_one, pieces))

    assert pumped(client(server), refuse_after) == read(client(server))


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


def test_silence_is_a_timeout(peer: MakePeer, client: MakeClient) -> None:
    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD + chunk(b"half"))
        link.wait_left()

    assert pumped(client(peer(handle), read_timeout_s=0.05)) == (b"half", HttpTimeout)


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


@pytest.mark.parametrize("rest", [b"", b"nonsense\r\n", chunk(b"more")])
def test_lingering_gives_up(
    peer: MakePeer, client: MakeClient, rest: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.http_client.pump._LINGER_S", 0.05)

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
