"""Readers of an answer: who leaves does not end it at once, and who comes back finds it."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.live.eventually import eventually
from tests.live.exchange import Exchange
from tests.live.server import Server
from tests.live.test_stops import asleep, history, open_session, stream
from tests.upstream import Upstream
from tests.upstream_script import WORDS, words

WITHIN_S = 1.0
GRACE_S = 1.5

ENDS: dict[str, Callable[[Exchange], None]] = {"FIN": Exchange.leave, "RST": Exchange.reset}


@pytest.fixture(scope="module")
def brief(session_upstream: Upstream) -> Iterator[Server]:
    """A server with a short grace."""
    with Server.over(session_upstream, LEAVE_GRACE_S=str(GRACE_S)) as server:
        yield server


@pytest.fixture(scope="module")
def two_workers(
    session_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = str(tmp_path_factory.mktemp("readers"))
    with Server.over(session_upstream, WEB_CONCURRENCY="2", TMPDIR=folder) as server:
        eventually(lambda: len(server.workers) == 2)
        yield server


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_answer_whose_visitor_left_is_kept_whole(
    server: Server, upstream: Upstream, end: Callable[[Exchange], None]
) -> None:
    upstream.script(tokens=4, fault="stall", at=2)
    session = open_session(server)
    chat = stream(server, session)

    end(chat)
    upstream.release()

    answer = eventually(lambda: history(server, session)[1:])[0]
    assert (answer["content"], answer["status"]) == (words(4), "complete")


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_answer_that_nobody_comes_back_to_costs_its_grace(
    brief: Server, upstream: Upstream, end: Callable[[Exchange], None]
) -> None:
    upstream.script(fault="stall", at=2)
    session = open_session(brief)
    chat = stream(brief, session)

    end(chat)
    left_at = time.monotonic()

    assert upstream.requests[0].left(within_s=GRACE_S + WITHIN_S)
    assert time.monotonic() - left_at > GRACE_S - 0.2
    answer = eventually(lambda: history(brief, session)[1:])[0]
    assert (answer["content"], answer["status"]) == ("".join(WORDS[:2]), "partial")
    assert answer["finishReason"] == "left"


def test_next_question_ends_an_answer_that_nobody_reads(
    two_workers: Server, upstream: Upstream
) -> None:
    mine, other = two_workers.workers
    session = open_session(two_workers)
    upstream.script(fault="stall", at=2)
    with asleep(other):
        stream(two_workers, session).leave()
        eventually(lambda: upstream.requests)
    upstream.script(tokens=1)
    with asleep(mine):
        body = {"message": "And then?"}
        key = two_workers.environment["WIDGET_API_KEY"]
        asked = two_workers.send("POST", "/v1/chat", body, x_api_key=key, **session)

    answer = asked.answer()

    assert answer.status == 200
    assert upstream.requests[0].left(within_s=WITHIN_S)
