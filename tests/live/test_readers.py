"""Readers of an answer: who leaves does not end it at once, and who comes back finds it."""

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from tests.live.eventually import eventually
from tests.live.exchange import Exchange
from tests.live.turns import STOP, TURN, ask, asleep, history, open_session, stream
from tests.servers.perch import Server
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import WORDS, words

WITHIN_S = 1.0
GRACE_S = 1.5
# How often an answer is left, at whatever moment; RELOADS=200 for a longer look.
RELOADS = int(os.environ.get("RELOADS", "20"))
TOKENS, GAP_MS = 40, 5
CROWD = 50
SAME_WORKER_S, ANY_WORKER_S = 0.02, 0.05

ENDS: dict[str, Callable[[Exchange], None]] = {"FIN": Exchange.leave, "RST": Exchange.reset}


@pytest.fixture(scope="module")
def brief(session_upstream: Upstream) -> Iterator[Server]:
    """A server with a short grace."""
    with Server.over(session_upstream, LEAVE_GRACE_S=str(GRACE_S)) as server:
        yield server


def attach(server: Server, session: dict[str, str], turn: str = TURN) -> Exchange:
    """Read a turn again, and return once the headers are there."""
    return server.send("GET", f"/v1/turns/{turn}/stream", **session).begin()


def told(events: list[dict[str, Any]]) -> str:
    return "".join(event["token"] for event in events if event["type"] == "token")


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


def test_of_a_crowd_that_left_none_outlives_its_grace(brief: Server, upstream: Upstream) -> None:
    upstream.script(fault="stall", at=2)
    chats = [stream(brief, open_session(brief)) for _ in range(CROWD)]

    for chat in chats:
        chat.leave()

    assert all(request.left(within_s=GRACE_S + WITHIN_S) for request in upstream.requests)
    assert len(upstream.requests) == CROWD


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


def test_one_who_comes_back_is_told_everything_once(server: Server, upstream: Upstream) -> None:
    upstream.script(tokens=4, fault="stall", at=2)
    session = open_session(server)
    chat = stream(server, session)
    chat.leave()

    again = attach(server, session)
    first = [again.next_event(), again.next_event()]
    upstream.release()
    events = first + again.events()

    assert first[0]["turnId"] == TURN
    assert first[1]["token"] == words(2)
    assert told(events) == words(4)
    assert events[-1]["type"] == "done"
    assert (events[-1]["message"], events[-1]["messageId"]) == (
        words(4),
        history(server, session)[1]["_id"],
    )


def test_other_worker_tells_it_as_it_comes(two_workers: Server, upstream: Upstream) -> None:
    upstream.script(tokens=4, fault="stall", at=2)
    session = open_session(two_workers)
    mine, other = two_workers.workers
    with asleep(other):
        chat = stream(two_workers, session)
    with asleep(mine):
        again = attach(two_workers, session)

    first = [again.next_event(), again.next_event()]
    upstream.release()

    assert first[1]["token"] == words(2)
    events = first + again.events()
    assert told(events) == words(4)
    assert events[-1] == chat.events()[-1]


@pytest.mark.parametrize(
    ("workers", "within_s"), [("one worker", SAME_WORKER_S), ("two workers", ANY_WORKER_S)]
)
def test_who_comes_back_is_told_at_once(
    server: Server, two_workers: Server, upstream: Upstream, workers: str, within_s: float
) -> None:
    chosen = server if workers == "one worker" else two_workers
    upstream.script(fault="stall", at=2)
    session = open_session(chosen)
    chat = stream(chosen, session)
    took_s = []

    for _ in range(20):
        with attach(chosen, session) as again:
            took_s.append(again.until("token")[-1].came_at - again.sent_at)

    chat.leave()
    assert statistics.median(took_s) < within_s


def test_stop_by_one_reader_ends_the_answer_for_all(
    two_workers: Server, upstream: Upstream
) -> None:
    upstream.script(fault="stall", at=2)
    session = open_session(two_workers)
    mine, other = two_workers.workers
    with asleep(other):
        chat = stream(two_workers, session)
        here = attach(two_workers, session)
    with asleep(mine):
        there = attach(two_workers, session)
        assert ask(two_workers, session, STOP).status == 202

    dones = [each.events()[-1] for each in (chat, here, there)]

    assert dones[0]["finishReason"] == "stopped"
    assert dones == [dones[0]] * 3


def test_reader_in_another_worker_keeps_the_answer_alive_while_there(
    session_upstream: Upstream, upstream: Upstream, short_path: Path
) -> None:
    settings = {"WEB_CONCURRENCY": "2", "LEAVE_GRACE_S": "0.5", "TMPDIR": str(short_path)}
    with Server.over(session_upstream, **settings) as server:
        eventually(lambda: len(server.workers) == 2)
        upstream.script(tokens=4, fault="stall", at=2)
        session = open_session(server)
        mine, other = server.workers
        with asleep(other):
            chat = stream(server, session)
        with asleep(mine):
            again = attach(server, session)
        again.until("token")
        chat.leave()
        time.sleep(1)  # twice the grace
        assert upstream.open_requests == 1

        again.leave()

        assert upstream.requests[0].left(within_s=0.5 + WITHIN_S)


def test_killed_owners_readers_hear_of_it_in_time(two_workers: Server, upstream: Upstream) -> None:
    upstream.script(fault="stall", at=2)
    session = open_session(two_workers)
    mine, other = two_workers.workers
    with asleep(other):
        chat = stream(two_workers, session)
    with asleep(mine):
        readers = [attach(two_workers, session) for _ in range(3)]
    for reader in readers:
        reader.until("token")

    os.kill(mine, SIGKILL)
    killed_at = time.monotonic()

    for reader in readers:
        event = reader.next_event()
        assert (event["type"], event["code"]) == ("error", "model_interrupted")
        assert event["retryable"]
    assert time.monotonic() - killed_at < 3
    chat.leave()
    eventually(lambda: len(two_workers.workers) == 2)


def reload_at_any_moment(
    server: Server, session: dict[str, str], turn: str, chance: random.Random
) -> list[dict[str, Any]]:
    """Ask, leave and come back up to three times; return what is told in the end."""
    body = {"message": turn, "turnId": turn}
    key = server.environment["WIDGET_API_KEY"]
    chat = server.send("POST", "/v1/chat/stream", body, x_api_key=key, **session).begin()
    chat.until("start")
    for _ in range(chance.randrange(1, 4)):
        gone_at = time.monotonic() + chance.random() * TOKENS * GAP_MS / 1000
        with chat:
            for line in chat.lines():
                if line.came_at > gone_at:
                    break
        chat = attach(server, session, turn)
    return chat.events()


@pytest.mark.parametrize("workers", ["one worker", "two workers"])
def test_what_is_seen_after_a_reload_is_what_is_stored(
    server: Server, two_workers: Server, upstream: Upstream, workers: str
) -> None:
    chosen = server if workers == "one worker" else two_workers
    upstream.script(tokens=TOKENS, gap_ms=GAP_MS)
    chance = random.Random(17)
    session = open_session(chosen)
    turns = [f"turn-{number:04}" for number in range(RELOADS)]

    for turn in turns:
        events = reload_at_any_moment(chosen, session, turn, chance)
        start, done = events[0], events[-1]
        # Apart: a reader who missed something, or an answer that was cut?
        assert (start["turnId"], done["type"], done.get("finishReason")) == (turn, "done", None)
        assert done["message"] == words(TOKENS), events
        assert told(events) == done["message"], events

    stored = chosen.messages(done["conversationId"])
    assert [each["content"] for each in stored] == [
        content for turn in turns for content in (turn, words(TOKENS))
    ]


def test_other_machine_tells_it_when_it_is_stored(upstream: Upstream, tmp_path: Path) -> None:
    upstream.script(tokens=4, fault="stall", at=2)
    with Server.over(upstream, tmp_path) as mine, Server.over(upstream, tmp_path) as other:
        session = open_session(mine)
        # Of a name of its own: after a reset the store's stand-in gives the same ids again, and
        # what a test before left running may end only now.
        chat = stream(mine, session, "turn-stored")
        again = attach(other, session, "turn-stored")
        assert [again.next_line().type for _ in range(2)] == ["start", "heartbeat"]

        upstream.release()

        assert again.events() == [
            {"type": "token", "token": words(4)},
            chat.events()[-1],
        ]
