"""Smuggling, floods and bad chunks, over a raw socket against the real server."""

import json
from collections.abc import Iterator

import pytest

from tests.corpus.bad_framing import BAD_FRAMING
from tests.corpus.bad_requests import BAD_REQUESTS, SERVER
from tests.corpus.bad_streams import BAD_STREAMS, Pieces
from tests.live.raw import converse
from tests.servers.perch import Server

pytestmark = pytest.mark.sqlite  # nothing of this comes as far as the store

SECOND_ANSWER_S = 0.2


@pytest.fixture(scope="module")
def strict() -> Iterator[Server]:
    with Server(**SERVER) as server:
        yield server
        assert "Traceback" not in server.log()


@pytest.mark.parametrize("bad", BAD_STREAMS, ids=str)
def test_bad_bytes_in_pieces_get_one_answer_or_none(strict: Server, bad: Pieces) -> None:
    answers = converse(strict.address, bad.pieces, second_s=SECOND_ANSWER_S)

    assert (answers[0].status if answers else None) in bad.statuses
    for answer in answers:
        assert answer.headers["Content-Type"] == "application/json"
        json.loads(answer.body)
    # What hides behind a refused request is never taken for a request of its own.
    assert all(answer.status >= 400 for answer in answers[1:])
    assert strict.request("GET", "/health").json == {"status": "ok"}


def test_the_raw_corpus_is_large_and_its_claims_are_unique() -> None:
    claims = {str(bad) for bad in BAD_STREAMS}

    assert len(claims) == len(BAD_STREAMS)
    assert len(BAD_FRAMING) + len(BAD_STREAMS) >= 100
    assert len(BAD_REQUESTS) + len(BAD_FRAMING) + len(BAD_STREAMS) >= 300
