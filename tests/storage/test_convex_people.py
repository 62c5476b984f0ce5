"""Where people answer, in Convex: lost answers, older servers, and what a call reads."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.conversation import DEFAULT_ASSISTANT
from app.domain.people import ByOperator, ByVisitor, Contact
from app.storage.convex import ConvexStore
from tests.convex_server import ConvexServer
from tests.data import SESSION, a_question, an_answer

VISITOR = ByVisitor(SESSION, DEFAULT_ASSISTANT)


@pytest.fixture
def store(convex: ConvexServer) -> Iterator[ConvexStore]:
    opened = ConvexStore(convex.url, convex.deploy_key, notes_starts=True)
    yield opened
    opened.close()


def begin(store: ConvexStore, turn_id: str = "turn-0001") -> Any:
    return store.begin_turn(a_question(turn_id=turn_id), history_limit=30, lease_s=60)


def kinds(convex: ConvexServer) -> list[str]:
    return [notice["type"] for notice in convex.documents("notices")]


# Lost answers


def test_step_whose_answer_was_lost_is_new_still_and_told_once(
    convex: ConvexServer, store: ConvexStore
) -> None:
    convex.fail("lost", times=2, path="people:handOver")

    asked = store.people.hand_over(VISITOR, "ask")

    assert (asked.state, asked.is_new) == ("waiting", True)
    assert not store.people.hand_over(VISITOR, "ask").is_new
    assert kinds(convex) == ["conversation.started", "conversation.waiting"]
    assert [message["event"] for message in convex.documents("messages")] == ["asked"]


def test_words_contact_and_question_whose_answers_were_lost_are_stored_once(
    convex: ConvexServer, store: ConvexStore
) -> None:
    for path in ("people:say", "people:setContact", "turns:begin", "notices:put"):
        convex.fail("lost", times=1, path=path)
    asked = store.people.hand_over(VISITOR, "ask")

    turn = begin(store)
    store.people.say(ByOperator(asked.conversation_id, "Olga"), "Hello", key="k1")
    store.people.set_contact(SESSION, Contact("a@b.example"))
    store.people.put_notice("test", DEFAULT_ASSISTANT)

    assert turn.state == "waiting"
    told = [each.get("event") or each["content"] for each in convex.documents("messages")]
    assert told == ["asked", "What are your hours?", "taken", "Hello", "contact"]
    assert kinds(convex) == [
        "conversation.started",
        "conversation.waiting",
        "message.created",
        "conversation.taken",
        "message.created",
        "contact.created",
        "test",
    ]


def test_claim_whose_answer_was_lost_is_told_again(
    convex: ConvexServer, store: ConvexStore
) -> None:
    for _ in range(3):
        store.people.put_notice("test", DEFAULT_ASSISTANT)
    convex.fail("lost", times=2, path="notices:claim")

    claimed = store.people.claim_notices("a", lease_s=60, limit=2)
    rest = store.people.claim_notices("a", lease_s=60, limit=2)

    assert (len(claimed), len(rest)) == (2, 1)
    assert rest[0].id not in [each.id for each in claimed]


# Older servers


def test_server_that_knows_no_people_is_told_to_come_again(
    convex: ConvexServer, store: ConvexStore
) -> None:
    store.people.hand_over(VISITOR, "ask")
    question = {"sessionId": SESSION, "turnId": "turn-0001", "content": "Hi", "regenerate": False}
    call = {"question": question, "historyLimit": 30, "leaseMs": 60_000, "holder": "old"}

    begun = convex.call("mutation", "turns:begin", call)

    assert begun == {"outcome": "busy", "retryAfterMs": 30_000, "turnId": "turn-0001"}
    assert [message["role"] for message in convex.documents("messages")] == ["system"]


def test_server_that_knows_no_people_goes_on_where_the_assistant_answers(
    convex: ConvexServer,
) -> None:
    question = {"sessionId": SESSION, "turnId": "turn-0001", "content": "Hi", "regenerate": False}
    call = {"question": question, "historyLimit": 30, "leaseMs": 60_000, "holder": "old"}

    begun = convex.call("mutation", "turns:begin", call)

    assert (begun["outcome"], begun["attempt"]) == ("begun", 1)
    assert kinds(convex) == []


# Bounds


def test_calls_of_a_long_conversation_read_little(convex: ConvexServer, store: ConvexStore) -> None:
    operator = ByOperator(store.people.hand_over(VISITOR, "ask").conversation_id, "Olga")
    for number in range(150):
        store.people.say(operator, f"Word {number}", key=f"k{number}")
    store.people.hand_over(operator, "release")
    before = len(convex.calls())

    turn = begin(store)
    store.finish_turn(turn, an_answer())
    store.people.events_since(SESSION, 140, limit=5)
    store.people.hand_over(operator, "take")
    store.people.say(operator, "Once more", key="k-last")

    assert len(turn.prompt) == 1
    reads = dict(convex.calls()[before:])
    assert reads["people:events"] <= 6
    assert max(reads.values()) <= 25


def test_removed_conversation_leaves_no_notice_however_many_there_are(
    convex: ConvexServer, store: ConvexStore
) -> None:
    asked = store.people.hand_over(VISITOR, "ask")
    for number in range(250):
        begin(store, f"turn-{number:04}")
    store.people.put_notice("test", "shop")

    store.delete_conversation(asked.conversation_id)
    convex.settle()

    assert kinds(convex) == ["test"]
    assert convex.documents("messages") == []
