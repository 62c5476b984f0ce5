"""Conversations that the original service's functions wrote."""

import re
from collections.abc import Iterator, Sequence

import pytest

from app.domain.conversation import Conversation, Message, PromptMessage
from app.domain.errors import ConversationNotFound
from app.factory import Parts, create_app
from app.storage.convex import ConvexStore
from tests.convex_server import ConvexServer
from tests.data import a_question, an_answer, some_settings

THEN_MS = 1_600_000_000_000


@pytest.fixture
def store(convex: ConvexServer) -> Iterator[ConvexStore]:
    opened = ConvexStore(convex.url, convex.deploy_key)
    yield opened
    opened.close()


def write_original(
    server: ConvexServer, session_id: str, texts: list[str], at: int = THEN_MS
) -> str:
    """Write a conversation as the original's ``addMessage`` left it, field by field."""
    conversation = {"sessionId": session_id, "createdAt": at, "updatedAt": at + len(texts)}
    if texts:
        conversation["lastMessage"] = texts[-1]
    (conversation_id,) = server.insert("conversations", [conversation])
    server.insert(
        "messages",
        [
            {
                "conversationId": conversation_id,
                "role": ("user", "assistant")[number % 2],
                "content": text,
                "createdAt": at + number + 1,
            }
            for number, text in enumerate(texts)
        ],
    )
    return conversation_id


def said(messages: Sequence[Message | PromptMessage]) -> list[str]:
    return [message.content for message in messages]


def test_original_conversation_reads_as_it_was_written(
    convex: ConvexServer, store: ConvexStore
) -> None:
    conversation_id = write_original(convex, "old", ["Hi", "Hello!"])

    thread = store.read_thread(conversation_id)

    assert thread.conversation == Conversation(
        id=conversation_id,
        session_id="old",
        created_at=THEN_MS,
        updated_at=THEN_MS + 2,
        last_message="Hello!",
    )
    question, answer = thread.messages
    assert question == Message("user", "Hi", THEN_MS + 1, id=question.id)
    assert answer == Message("assistant", "Hello!", THEN_MS + 2, id=answer.id)


def test_original_conversation_continues(convex: ConvexServer, store: ConvexStore) -> None:
    conversation_id = write_original(convex, "old", ["Hi", "Hello!"])

    turn = store.begin_turn(
        a_question(session_id="old", content="Again"), history_limit=30, lease_s=60
    )
    store.finish_turn(turn, an_answer(content="Welcome back."))

    assert turn.conversation_id == conversation_id
    assert said(turn.prompt) == ["Hi", "Hello!", "Again"]
    thread = store.read_thread(conversation_id)
    assert said(tuple(thread.messages)) == ["Hi", "Hello!", "Again", "Welcome back."]
    assert thread.conversation.last_message == "Welcome back."


def test_dashboard_lists_originals_by_what_is_known_of_them(
    convex: ConvexServer, store: ConvexStore
) -> None:
    write_original(convex, "old", ["Do you ship?", "We **do**."])
    write_original(convex, "silent", [])
    write_original(convex, "gone-on", ["Hi", "Hello!"])
    turn = store.begin_turn(
        a_question(session_id="gone-on", content="How long?"), history_limit=30, lease_s=60
    )
    store.finish_turn(turn, an_answer(content="", status="error", error_code="model_timeout"))
    app = create_app(some_settings(DASHBOARD_PASSWORD="open sesame 123"), Parts(store=store))
    operator = app.test_client()
    token = re.search(r'name="token" value="(\w+)"', operator.get("/dashboard/login").text)
    assert token is not None
    operator.post("/dashboard/login", data={"password": "open sesame 123", "token": token[1]})

    html = operator.get("/dashboard/conversations").text
    shown = re.findall(r'class="lead"[^>]*>([^<]+)</a>', html)

    assert shown == ["How long?", "We **do**.", "(nothing was said)"]
    assert "messages</span>" not in html
    assert html.count(">failed</span>") == 1
    for each in store.list_conversations(limit=10).conversations:
        assert operator.get(f"/dashboard/conversations/{each.id}").status_code == 200
    assert "the turn took too long" in operator.get("/dashboard/").text


def test_history_across_the_upgrade_is_cut_to_the_newest(
    convex: ConvexServer, store: ConvexStore
) -> None:
    write_original(convex, "old", ["1", "2", "3", "4"])

    turn = store.begin_turn(a_question(session_id="old", content="5"), history_limit=3, lease_s=60)

    assert said(turn.prompt) == ["3", "4", "5"]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6, 7])
def test_pages_lead_across_the_upgrade_both_ways(
    convex: ConvexServer, store: ConvexStore, limit: int
) -> None:
    conversation_id = write_original(convex, "old", ["1", "2", "3", "4"])
    turn = store.begin_turn(a_question(session_id="old", content="5"), history_limit=3, lease_s=60)
    store.finish_turn(turn, an_answer(content="6"))
    forward: list[str] = []
    backward: list[str] = []

    cursor: str | None = None
    while cursor is not None or not forward:
        page = store.read_thread(conversation_id, limit=limit, cursor=cursor)
        forward += said(tuple(page.messages))
        cursor = page.next_cursor
    while cursor is not None or not backward:
        newest = store.read_session("old", limit=limit, cursor=cursor)
        assert newest is not None
        backward = said(tuple(newest.messages)) + backward
        cursor = newest.next_cursor

    assert forward == backward == ["1", "2", "3", "4", "5", "6"]


def test_originals_are_listed_found_and_counted(convex: ConvexServer, store: ConvexStore) -> None:
    for number in range(3):
        write_original(convex, f"old-{number}", ["Parcel?", "Soon."], THEN_MS + 1000 * number)
    store.begin_turn(a_question(session_id="new"), history_limit=30, lease_s=60)

    page = store.list_conversations(limit=10)

    assert [c.session_id for c in page.conversations] == ["new", "old-2", "old-1", "old-0"]
    assert page.total == 4


def test_total_stays_true_while_originals_are_adopted(
    convex: ConvexServer, store: ConvexStore
) -> None:
    ids = [write_original(convex, f"old-{number}", ["Hi"]) for number in range(300)]
    store.begin_turn(a_question(session_id="old-0"), history_limit=30, lease_s=60)
    store.delete_conversation(ids[1])
    before = store.list_conversations(limit=1).total

    convex.call("mutation", "maintenance:adopt", {})
    convex.settle()
    store.delete_conversation(ids[2])

    assert before == 299
    assert store.list_conversations(limit=1).total == 298
    assert all(c["counted"] for c in convex.documents("conversations"))


def test_original_conversation_is_deleted_whole(convex: ConvexServer, store: ConvexStore) -> None:
    conversation_id = write_original(convex, "old", ["Hi", "Hello!"])

    assert store.delete_conversation(conversation_id) is True

    with pytest.raises(ConversationNotFound):
        store.read_thread(conversation_id)
    assert convex.documents("messages") == []
    assert store.list_conversations(limit=10).total == 0


def test_session_that_the_original_stored_twice_continues_in_the_first(
    convex: ConvexServer, store: ConvexStore
) -> None:
    first = write_original(convex, "twice", ["First"])
    write_original(convex, "twice", ["Second"])

    turn = store.begin_turn(a_question(session_id="twice"), history_limit=30, lease_s=60)

    assert turn.conversation_id == first
    assert store.list_conversations(limit=10).total == 2
