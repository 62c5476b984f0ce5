"""What the Convex store does when Convex, or the way to it, fails."""

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.domain.conversation import Feedback, Turn
from app.domain.errors import InvalidRequest, StorageUnavailable, TurnInProgress
from app.storage.convex import ConvexStore
from app.storage.convex.store import FUNCTIONS_VERSION
from tests.convex_server import ConvexServer
from tests.data import SESSION, TURN, a_question, an_answer

TIMEOUT_S = 1.0
# What one more try, begun just in time, may add.
GRACE_S = 0.5

Use = Callable[[ConvexStore], Any]


def connect(server: ConvexServer, **options: Any) -> ConvexStore:
    return ConvexStore(server.url, options.pop("deploy_key", server.deploy_key), **options)


@pytest.fixture
def store(convex: ConvexServer) -> Iterator[ConvexStore]:
    opened = connect(convex)
    yield opened
    opened.close()


@pytest.fixture
def hasty(convex: ConvexServer) -> Iterator[ConvexStore]:
    opened = connect(convex, timeout_s=TIMEOUT_S, connect_timeout_s=0.5)
    yield opened
    opened.close()


def begin(store: ConvexStore, **fields: Any) -> Any:
    return store.begin_turn(a_question(**fields), history_limit=30, lease_s=60)


def contents(server: ConvexServer) -> list[str]:
    return [message["content"] for message in server.documents("messages")]


# Repeating


@pytest.mark.parametrize("fault", ["conflict", "tooMany", "internal", "garbage", "reset", "lost"])
def test_turn_survives_passing_trouble_and_is_stored_once(
    convex: ConvexServer, store: ConvexStore, fault: str
) -> None:
    convex.fail(fault, times=2, path="turns:begin")
    convex.fail(fault, times=2, path="turns:finish")

    turn = begin(store, content="Hi")
    finished = store.finish_turn(turn, an_answer(content="Hello!"))

    assert turn.attempt == 1
    assert finished is not None
    assert finished.message_id == convex.documents("messages")[-1]["_id"]
    assert contents(convex) == ["Hi", "Hello!"]
    assert begin(store, turn_id="turn-0002").attempt == 1


def test_one_silence_is_asked_past_after_the_longest_pause(
    convex: ConvexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.convex.api.secrets.randbelow", lambda bound: bound - 1)
    store = connect(convex, timeout_s=1.2)
    convex.fail("hang", times=1, path="turns:begin")

    turn = begin(store)

    assert turn.id == TURN
    store.close()


def test_lost_regeneration_is_begun_once(convex: ConvexServer, store: ConvexStore) -> None:
    store.finish_turn(begin(store), an_answer())
    convex.fail("lost", times=1)

    assert begin(store, regenerate=True).attempt == 2


def test_repeated_call_is_known_and_another_is_not(
    convex: ConvexServer, store: ConvexStore
) -> None:
    convex.fail("lost", times=1)
    begin(store)

    with pytest.raises(TurnInProgress) as caught:
        begin(store)

    assert caught.value.turn_id == TURN


def test_deletion_whose_answer_was_lost_is_told_as_done(
    convex: ConvexServer, store: ConvexStore
) -> None:
    turn = begin(store)
    convex.fail("lost", times=1)

    assert store.delete_conversation(turn.conversation_id) is True


def test_rating_whose_answer_was_lost_stands(convex: ConvexServer, store: ConvexStore) -> None:
    turn = begin(store)
    store.finish_turn(turn, an_answer())
    answer = store.read_thread(turn.conversation_id).messages[1]
    convex.fail("lost", times=1)

    store.rate_message(SESSION, answer.id, Feedback("up"))

    assert store.read_thread(turn.conversation_id).messages[1].feedback == Feedback("up")


@pytest.mark.parametrize("fault", ["badKey", "notPermitted", "crash"])
def test_what_a_repetition_cannot_mend_is_told_at_once(
    convex: ConvexServer, store: ConvexStore, fault: str
) -> None:
    convex.fail(fault, times=1)

    with pytest.raises(StorageUnavailable):
        begin(store)

    assert begin(store).attempt == 1  # the fault met one call, and there was no second


# Giving up


TURN_ELSEWHERE = Turn(TURN, 1, SESSION, "0" * 32, ())
USES: dict[str, Use] = {
    "begin": begin,
    "finish": lambda store: store.finish_turn(TURN_ELSEWHERE, an_answer()),
    "list": lambda store: store.list_conversations(limit=10),
    "thread": lambda store: store.read_thread("0" * 32),
    "session": lambda store: store.read_session(SESSION, limit=10),
    "delete": lambda store: store.delete_conversation("0" * 32),
    "rate": lambda store: store.rate_message(SESSION, "0" * 32, Feedback("up")),
    "ping": lambda store: store.ping(),
}


def fails_in_time(use: Callable[[], Any]) -> StorageUnavailable:
    began = time.monotonic()
    with pytest.raises(StorageUnavailable) as caught:
        use()
    assert time.monotonic() - began < TIMEOUT_S + GRACE_S
    return caught.value


@pytest.mark.parametrize(
    "fault", ["conflict", "tooMany", "internal", "garbage", "reset", "hang", "badKey", "crash"]
)
def test_lasting_trouble_is_told_in_time_and_in_our_words(
    convex: ConvexServer, hasty: ConvexStore, fault: str
) -> None:
    convex.fail(fault)

    failure = fails_in_time(lambda: begin(hasty))

    assert str(failure) == StorageUnavailable.text
    assert contents(convex) == []


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("fault", ["hang", "crash"])
def test_every_method_fails_alike(
    convex: ConvexServer, hasty: ConvexStore, use: str, fault: str
) -> None:
    convex.fail(fault)

    fails_in_time(lambda: USES[use](hasty))


def test_unfinished_turn_can_be_finished_later(convex: ConvexServer, hasty: ConvexStore) -> None:
    turn = begin(hasty)
    convex.fail("hang", times=1, path="turns:finish")
    fails_in_time(lambda: hasty.finish_turn(turn, an_answer()))

    assert contents(convex) == ["What are your hours?"]
    assert hasty.finish_turn(turn, an_answer(content="Nine."))
    assert contents(convex) == ["What are your hours?", "Nine."]


def test_refused_connections_are_told_in_time(convex: ConvexServer, hasty: ConvexStore) -> None:
    begin(hasty)
    convex.refuse_connections()

    fails_in_time(lambda: begin(hasty, turn_id="turn-0002"))


def test_slow_answer_is_waited_for(convex: ConvexServer, hasty: ConvexStore) -> None:
    convex.fail("delay", times=1, ms=200)

    assert begin(hasty).attempt == 1


# What the operator reads


def reason(store: ConvexStore) -> str:
    with pytest.raises(StorageUnavailable) as caught:
        store.ping()
    return str(caught.value)


def test_ping_tells_a_wrong_key(convex: ConvexServer) -> None:
    store = connect(convex, deploy_key="prod:other|a-wrong-key")

    assert "refused CONVEX_DEPLOY_KEY (403 BadDeployKey)" in reason(store)
    assert "a-wrong-key" not in reason(store)


def test_ping_tells_a_key_without_the_permissions(convex: ConvexServer) -> None:
    told = reason(connect(convex, deploy_key=convex.limited_key))

    assert "403 OperationNotPermitted" in told
    assert "deployment:functions:runInternalQueries" in told
    assert "deployment:functions:runInternalMutations" in told


def test_ping_tells_that_nothing_is_deployed(convex: ConvexServer, store: ConvexStore) -> None:
    convex.fail("undeployed")

    assert "are not deployed: run `npm run deploy` in convex/" in reason(store)


def test_ping_tells_an_older_version(convex: ConvexServer, store: ConvexStore) -> None:
    convex.fail("answer", value=FUNCTIONS_VERSION - 1)

    told = reason(store)

    assert f"version {FUNCTIONS_VERSION - 1}, this server needs version {FUNCTIONS_VERSION}" in told


def test_ping_takes_a_newer_version(convex: ConvexServer, store: ConvexStore) -> None:
    convex.fail("answer", value=FUNCTIONS_VERSION + 1)

    store.ping()


def test_ping_tells_that_nobody_is_there(convex: ConvexServer, hasty: ConvexStore) -> None:
    convex.refuse_connections()

    assert f"cannot be reached at {convex.url}" in reason(hasty)


def test_log_names_the_function_and_the_request(
    convex: ConvexServer, store: ConvexStore, caplog: pytest.LogCaptureFixture
) -> None:
    convex.fail("crash")

    with caplog.at_level(logging.WARNING), pytest.raises(StorageUnavailable):
        begin(store, content="A secret")

    assert "turns:begin" in caplog.text
    assert "Request ID" in caplog.text
    assert "A secret" not in caplog.text
    assert convex.deploy_key not in caplog.text


# What is sent


def test_half_a_surrogate_pair_is_not_sent(convex: ConvexServer, store: ConvexStore) -> None:
    for field in ("content", "session_id", "turn_id"):
        with pytest.raises(InvalidRequest):
            begin(store, **{field: "a\ud83e"})

    assert convex.calls() == []


def test_too_long_a_message_stores_nothing(convex: ConvexServer, store: ConvexStore) -> None:
    with pytest.raises(StorageUnavailable):
        begin(store, content="é" * 600_000)

    assert convex.documents("conversations") == []
