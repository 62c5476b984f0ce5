"""Smuggling, floods and bad chunks, over a raw socket against the real server."""

import json
import socket
import time
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse

import pytest

from tests.corpus.bad_framing import BAD_FRAMING
from tests.corpus.bad_requests import BAD_REQUESTS, SERVER
from tests.corpus.bad_streams import BAD_STREAMS, Pieces
from tests.live.exchange import Answer
from tests.live.server import Server

pytestmark = pytest.mark.sqlite  # nothing of this comes as far as the store

PATIENCE_S = 8.0
SECOND_ANSWER_S = 0.2
PAUSE_S = 0.002


@pytest.fixture(scope="module")
def strict() -> Iterator[Server]:
    with Server(**SERVER) as server:
        yield server
        assert "Traceback" not in server.log()


@pytest.mark.parametrize("bad", BAD_STREAMS, ids=str)
def test_bad_bytes_in_pieces_get_one_answer_or_none(strict: Server, bad: Pieces) -> None:
    answers = converse(strict, bad)

    assert (answers[0].status if answers else None) in bad.statuses
    for answer in answers:
        assert answer.headers["Content-Type"] == "application/json"
        json.loads(answer.body)
    # What hides behind a refused request is never taken for a request of its own.
    assert all(answer.status >= 400 for answer in answers[1:])
    assert strict.request("GET", "/health").json == {"status": "ok"}


def converse(server: Server, bad: Pieces) -> list[Answer]:
    """Send the pieces, and return all answers until the server closes or waits for more."""
    answers: list[Answer] = []
    with socket.create_connection(server.address, PATIENCE_S) as link:
        try:
            for piece in bad.pieces:
                link.sendall(piece)
                time.sleep(PAUSE_S)  # so that it travels alone
            while True:
                response = HTTPResponse(link)
                response.begin()
                answers.append(Answer(response.status, response.headers, response.read()))
                link.settimeout(SECOND_ANSWER_S)
        except TimeoutError:
            assert answers, "neither an answer nor a closed connection"
        except (HTTPException, ConnectionError):
            pass
    return answers


def test_the_raw_corpus_is_large_and_its_claims_are_unique() -> None:
    claims = {str(bad) for bad in BAD_STREAMS}

    assert len(claims) == len(BAD_STREAMS)
    assert len(BAD_FRAMING) + len(BAD_STREAMS) >= 100
    assert len(BAD_REQUESTS) + len(BAD_FRAMING) + len(BAD_STREAMS) >= 300
