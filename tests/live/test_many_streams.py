"""Many at once: every message is stored once, in order, and nobody gets an error."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.servers.perch import Server
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import WORDS, words

STREAMS = 200
TOKENS = len(WORDS)


def read_whole(server: Server, question: str, session: str) -> list[dict[str, Any]]:
    with server.stream(question, session=session, timeout_s=60) as stream:
        return stream.events()


def test_two_hundred_streams_in_one_worker(server: Server, upstream: Upstream) -> None:
    upstream.script(tokens=TOKENS, fault="stall", at=1)
    questions = [f"Question {number}" for number in range(STREAMS)]

    with ThreadPoolExecutor(STREAMS) as pool:
        reads = [pool.submit(read_whole, server, q, f"s-200-{q[9:]}") for q in questions]
        upstream.wait_for_request(STREAMS, timeout_s=60)
        for request in list(upstream.requests):
            upstream.wait_for_token(request, 1, timeout_s=60)
        assert upstream.open_requests == STREAMS
        upstream.release()
        streams = [read.result() for read in reads]

    assert len(server.workers) == 1
    for question, events in zip(questions, streams, strict=True):
        assert [event["type"] for event in events] == ["start", *["token"] * TOKENS, "done"]
        assert [event["token"] for event in events[1:-1]] == list(WORDS)
        assert server.said(events[-1]["conversationId"]) == [
            ("user", question),
            ("assistant", words(TOKENS)),
        ]


def test_two_servers_over_one_file(upstream: Upstream, tmp_path: Path) -> None:
    sessions, turns = 12, 4
    upstream.script(tokens=3)
    first, second = Server.over(upstream, tmp_path), Server.over(upstream, tmp_path)

    with first, second, ThreadPoolExecutor(sessions) as pool:

        def converse(session: int) -> list[tuple[int, str]]:
            servers = [(first, second)[(session + turn) % 2] for turn in range(turns)]
            answers = [s.chat(f"Turn {n}", f"s-two-{session}") for n, s in enumerate(servers)]
            return [(a.status, a.json["conversationId"]) for a in answers]

        answers = list(pool.map(converse, range(sessions)))
        threads = [second.said(conversation[0][1]) for conversation in answers]

    for conversation in answers:
        assert conversation == [(200, conversation[0][1])] * turns
    expected = [
        said for n in range(turns) for said in (("user", f"Turn {n}"), ("assistant", words(3)))
    ]
    assert threads == [expected] * sessions


def test_two_servers_share_a_session(upstream: Upstream, tmp_path: Path) -> None:
    upstream.script(tokens=3, gap_ms=10)
    first, second = Server.over(upstream, tmp_path), Server.over(upstream, tmp_path)

    with first, second, ThreadPoolExecutor(6) as pool:
        sends = [
            pool.submit((first, second)[n % 2].chat, f"Question {n}", "s-shared") for n in range(6)
        ]
        answers = [send.result() for send in sends]
        said = first.said(answers[0].json["conversationId"])

    assert [answer.status for answer in answers] == [200] * 6
    assert [role for role, _ in said] == ["user", "assistant"] * 6
    assert {content for role, content in said if role == "user"} == {
        f"Question {n}" for n in range(6)
    }
