"""Bad requests and bad bytes, over a raw socket against the real server."""

import json
from collections.abc import Iterator

import pytest

from tests.corpus.bad_framing import BAD_FRAMING, Framing
from tests.corpus.bad_requests import BAD_REQUESTS, SERVER, Bad
from tests.live.exchange import Exchange, request_bytes
from tests.live.raw import converse
from tests.servers.perch import Server

pytestmark = pytest.mark.sqlite  # nothing of this comes as far as the store

PATIENCE_S = 8.0
SECOND_ANSWER_S = 0.3


@pytest.fixture(scope="module")
def strict() -> Iterator[Server]:
    with Server(**SERVER) as server:
        yield server
        assert len(server.workers) == 1
        assert "Traceback" not in server.log()


@pytest.mark.parametrize("bad", BAD_REQUESTS, ids=str)
def test_bad_request_gets_its_documented_error(strict: Server, bad: Bad) -> None:
    request = request_bytes(bad.method, bad.path, bad.sent_headers, bad.body)

    answer = Exchange(strict.address, request, PATIENCE_S).answer()

    bad.check(answer.status, answer.headers, answer.body)


@pytest.mark.parametrize("bad", BAD_FRAMING, ids=str)
def test_bad_bytes_get_an_error_or_a_closed_connection(strict: Server, bad: Framing) -> None:
    answers = converse(
        strict.address, [bad.raw], second_s=SECOND_ANSWER_S, then_close=bad.then_close
    )

    assert (answers[0].status if answers else None) in bad.statuses
    for answer in answers:
        # What follows the first is a complaint about the rest of the bytes: no part of
        # a request that was refused is taken for another one.
        assert answer.status >= 400 or answer is answers[0]
        assert answer.headers["Content-Type"] == "application/json"
        assert set(json.loads(answer.body)) - {"details"} == {"error", "code", "requestId"}
    assert strict.request("GET", "/health").json == {"status": "ok"}
