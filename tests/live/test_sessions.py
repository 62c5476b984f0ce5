"""One session, several requests: one turn at a time, each question stored once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live.eventually import eventually
from tests.servers.perch import Server
from tests.servers.upstream import Request, Upstream
from tests.servers.upstream_script import words


@pytest.fixture(scope="module")
def impatient(session_upstream: Upstream) -> object:
    with Server.over(session_upstream, BUSY_WAIT_S="0.3") as server:
        yield server


# Each test names its turns in its own way: after a reset the store's stand-in gives the same ids
# again, and the end of an earlier test's turn, which comes late, must fit none of the next one's.
def asked(upstream: Upstream, question: str) -> list[Request]:
    """Return the requests with this question: of an earlier test, one may come late."""
    return [each for each in upstream.requests if each.prompt[-1] == ("user", question)]


def test_a_busy_session_is_waited_for(server: Server, upstream: Upstream) -> None:
    upstream.next(tokens=3, fault="stall", at=1)
    with ThreadPoolExecutor() as pool:
        first = server.stream("First", session="s-wait")
        first.until("token")
        upstream.script(tokens=4)
        second = pool.submit(server.chat, "Second", "s-wait")
        upstream.release()

        assert first.events()[-1]["message"] == words(3)
        answer = second.result()

    assert answer.json["message"] == words(4)
    assert server.said(answer.json["conversationId"]) == [
        ("user", "First"),
        ("assistant", words(3)),
        ("user", "Second"),
        ("assistant", words(4)),
    ]


def test_a_session_that_stays_busy_is_409(impatient: Server, upstream: Upstream) -> None:
    upstream.script(fault="stall", at=1)
    with impatient.stream("First", session="s-busy") as first:
        first.until("token")

        answer = impatient.chat("Second", session="s-busy")

    assert answer.status == 409
    assert answer.json == {
        "error": "The previous message is still being answered",
        "code": "turn_in_progress",
        "requestId": answer.headers["X-Request-Id"],
    }
    assert int(answer.headers["Retry-After"]) >= 1
    assert 0.3 <= answer.took_s < 2


def test_the_running_turn_sent_again_is_409_at_once(server: Server, upstream: Upstream) -> None:
    upstream.script(fault="stall", at=1)
    with server.stream("Hi", session="s-twice", turnId="turn-twice-1") as first:
        first.until("token")

        answer = server.chat("Hi", session="s-twice", turnId="turn-twice-1")

    assert (answer.status, answer.json["code"]) == (409, "turn_in_progress")
    assert answer.took_s < 1


def test_a_finished_turn_sent_again_is_told_again(server: Server, upstream: Upstream) -> None:
    upstream.script(tokens=3)
    first = server.chat("Tell me", session="s-told", turnId="turn-told-1")

    again = server.chat("Tell me", session="s-told", turnId="turn-told-1")
    with server.stream("Tell me", session="s-told", turnId="turn-told-1") as stream:
        streamed = stream.events()

    assert again.json == first.json
    assert "".join(event.get("token", "") for event in streamed) == words(3)
    assert streamed[-1]["message"] == words(3)
    assert len(asked(upstream, "Tell me")) == 1
    assert len(server.messages(first.json["conversationId"])) == 2


def test_a_turn_id_with_another_text_is_409(server: Server, upstream: Upstream) -> None:
    first = server.chat("Hi", session="s-other", turnId="turn-other-1")

    answer = server.chat("Something else", session="s-other", turnId="turn-other-1")

    assert (answer.status, answer.json["code"]) == (409, "turn_mismatch")
    assert len(server.messages(first.json["conversationId"])) == 2


def test_turn_ids_belong_to_their_session(server: Server, upstream: Upstream) -> None:
    upstream.script(tokens=2)
    first = server.chat("Hi", session="s-one", turnId="turn-one-1")

    second = server.chat("Something else", session="s-two", turnId="turn-one-1")

    assert second.status == 200
    assert first.json["conversationId"] != second.json["conversationId"]


def test_regenerate_puts_a_new_answer_in_place_of_the_old(
    server: Server, upstream: Upstream
) -> None:
    upstream.script(tokens=["Old."])
    server.chat("Anew", session="s-anew", turnId="turn-anew-1")
    upstream.script(tokens=["New."])

    answer = server.chat("Anew", session="s-anew", turnId="turn-anew-1", regenerate=True)

    assert answer.json["message"] == "New."
    assert server.said(answer.json["conversationId"]) == [
        ("user", "Anew"),
        ("assistant", "New."),
    ]
    assert asked(upstream, "Anew")[1].prompt[1:] == [("user", "Anew")]


def test_twenty_parallel_sends_of_one_turn_are_one_question(
    server: Server, upstream: Upstream
) -> None:
    upstream.script(tokens=3, gap_ms=20)

    with ThreadPoolExecutor(20) as pool:
        sends = [pool.submit(server.chat, "All", "s-many", turnId="turn-many-1") for _ in range(20)]
        answers = [send.result() for send in sends]

    statuses = {answer.status for answer in answers}
    assert statuses <= {200, 409}
    whole = [answer.json for answer in answers if answer.status == 200]
    assert whole == [whole[0]] * len(whole)
    assert len(asked(upstream, "All")) == 1
    assert server.said(whole[0]["conversationId"]) == [
        ("user", "All"),
        ("assistant", words(3)),
    ]


def test_a_killed_worker_blocks_its_session_no_longer_than_the_lease(upstream: Upstream) -> None:
    upstream.next(fault="stall", at=2)
    lease = {"TURN_TIMEOUT_S": "1", "LEASE_GRACE_S": "0.5"}
    with Server.over(upstream, **lease) as server:
        stream = server.stream("Hi", session="s-1", turnId="turn-1-1")
        stream.until("token")
        server.kill_worker()
        server.wait_until_healthy()
        upstream.script(tokens=4)

        answer = eventually(
            lambda: next(
                (a for a in [server.chat("Hi", "s-1", turnId="turn-1-1")] if a.status == 200), None
            ),
            within_s=3,
        )
        said = server.said(answer.json["conversationId"])

    assert said == [("user", "Hi"), ("assistant", words(4))]
