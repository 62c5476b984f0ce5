"""What a response's bytes say, without a socket."""

import gc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http_client.failures import ClosedWhileIdle, HttpBroken
from app.http_client.parser import Part, ResponseParser
from tests.http_client.responses import BROKEN, FRAMED
from tests.servers.peer import whole

NAMES = sorted(FRAMED)


def parsed(*pieces: bytes) -> tuple[int, bytes]:
    """Status and body of a response that came in pieces, and then no more."""
    parser = ResponseParser()
    body = b""
    for piece in pieces:
        parser.feed(piece)
        body += parser.take()
    if parser.part is not Part.NOTHING:
        parser.feed(b"")
    return parser.status, body


@given(name=st.sampled_from(NAMES), cuts=st.sets(st.integers(1, 120), max_size=8))
def test_body_is_the_same_however_it_is_cut(name: str, cuts: set[int]) -> None:
    response = FRAMED[name]
    at = [0, *sorted(cut for cut in cuts if cut < len(response)), len(response)]

    assert parsed(*(response[a:b] for a, b in pairwise(at))) == parsed(response)


@pytest.mark.parametrize("response", BROKEN.values(), ids=BROKEN)
def test_what_is_not_whole_is_broken(response: bytes) -> None:
    with pytest.raises(HttpBroken):
        parsed(response)


def test_connection_that_ended_without_a_byte_may_have_been_closed_while_idle() -> None:
    with pytest.raises(ClosedWhileIdle):
        parsed()


def test_what_follows_the_end_is_dropped_and_the_connection_not_kept() -> None:
    parser = ResponseParser()
    parser.feed(whole(b"mine"))
    assert parser.keeps_connection

    parser.feed(whole(b"smuggled"))

    assert (parser.take(), parser.keeps_connection) == (b"mine", False)
    assert [name for name, _ in parser.headers] == [b"Content-Length"]


def test_head_that_does_not_end_is_refused_early() -> None:
    parser = ResponseParser()
    parser.feed(b"HTTP/1.1 200 OK\r\n" + b"X-Padding: x\r\n" * 4600)

    with pytest.raises(HttpBroken, match="too large"):
        parser.feed(b"X-Padding: x\r\n" * 100)


def test_response_that_was_read_leaves_nothing_to_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        parser = ResponseParser()
        parser.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        assert parser.take() == b"hi"
        del parser
        assert gc.collect() == 0
    finally:
        gc.enable()
