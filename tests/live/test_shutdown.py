"""Going down: streams end with their last line, and what was said is stored."""

from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest

from tests.live.exchange import Exchange
from tests.servers.perch import Server
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import WORDS, words

STREAMS = 20


def open_streams(server: Server) -> list[Exchange]:
    """Open streams, and read each up to its second token."""
    streams = [server.stream(f"Question {number}") for number in range(STREAMS)]
    for stream in streams:
        assert [stream.next_event()["type"] for _ in range(3)] == ["start", "token", "token"]
    return streams


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
def test_streams_end_with_their_last_line_and_keep_their_text(
    upstream: Upstream, tmp_path: Path, number: Signals
) -> None:
    upstream.script(fault="stall", at=2)
    with Server.over(upstream, tmp_path, GRACEFUL_TIMEOUT="3") as server:
        streams = open_streams(server)

        server.signal(number)
        last = [stream.events()[-1] for stream in streams]

        assert server.process.wait(10) == 0
    error = last[0]
    assert last == [error] * STREAMS
    assert (error["type"], error["code"]) == ("error", "server_restarting")
    assert error["retryable"] is True
    with Server.over(upstream, tmp_path) as again:
        stored = again.admin("/v1/admin/conversations").json["conversations"]
        threads = [again.messages(conversation["_id"]) for conversation in stored]
    assert len(threads) == STREAMS
    for _, answer in threads:
        assert (answer["content"], answer["status"]) == ("".join(WORDS[:2]), "partial")


def test_streams_that_can_end_in_time_are_whole(upstream: Upstream, tmp_path: Path) -> None:
    upstream.script(tokens=5, fault="stall", at=2)
    with Server.over(upstream, tmp_path, GRACEFUL_TIMEOUT="10") as server:
        streams = open_streams(server)

        server.signal(SIGTERM)
        upstream.release()
        last = [stream.events()[-1] for stream in streams]

    assert [(event["type"], event["message"]) for event in last] == [("done", words(5))] * STREAMS


def test_the_same_turn_sent_again_is_answered_by_the_next_server(
    upstream: Upstream, tmp_path: Path
) -> None:
    upstream.next(fault="stall", at=2)
    with Server.over(upstream, tmp_path, GRACEFUL_TIMEOUT="6") as server:
        stream = server.stream("Hi", session="s-1", turnId="turn-0001")
        stream.until("token")
        server.signal(SIGTERM)
        assert stream.events()[-1]["code"] == "server_restarting"

    upstream.script(tokens=4)
    with Server.over(upstream, tmp_path) as again:
        answer = again.chat("Hi", session="s-1", turnId="turn-0001")
        said = again.said(answer.json["conversationId"])

    assert said == [("user", "Hi"), ("assistant", words(4))]


def test_an_idle_server_goes_down_at_once(upstream: Upstream) -> None:
    with Server.over(upstream) as server:
        server.signal(SIGTERM)

        assert server.process.wait(5) == 0
