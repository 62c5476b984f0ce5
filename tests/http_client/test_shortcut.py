"""The shortcut past the parser brings what the plain way brings."""

from functools import partial
from unittest.mock import patch

import gevent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.http_client import HttpClient
from app.http_client import client as client_module
from app.http_client.parser import ResponseParser
from tests.http_client.conftest import MakeClient, MakePeer
from tests.http_client.sink import pumped
from tests.servers.peer import CHUNKED_HEAD, LAST_CHUNK, Link, chunk, whole

FIXTURES = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def plainly_pumped(http: HttpClient) -> tuple[bytes, type | None]:
    """What the plain way brings, and how it fails."""
    with patch.object(client_module, "ChunkParser", ResponseParser):
        return pumped(http)


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
def test_shortcut_brings_what_the_plain_way_brings(
    peer: MakePeer, client: MakeClient, pieces: list[bytes], refuse_after: int
) -> None:
    server = peer(partial(send_one_by_one, pieces))

    assert pumped(client(server), refuse_after) == plainly_pumped(client(server))


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
def test_whole_chunks_bring_what_the_plain_way_brings(
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

    assert pumped(client(server), refuse_after) == plainly_pumped(client(server))
