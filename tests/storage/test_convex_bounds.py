"""What the Convex store asks for, and what the functions read: bounded, however much is stored."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.conversation import ConversationFilter, Feedback, Usage
from app.storage.convex import ConvexStore
from tests.convex_server import ConvexServer
from tests.data import SESSION, a_question, an_answer

MANY_CONVERSATIONS = 10_000
MANY_MESSAGES = 5_000
# The counter's shards, and the one more that tells whether a page is the last.
OVERHEAD = 16 + 1


@pytest.fixture
def store(convex: ConvexServer) -> Iterator[ConvexStore]:
    opened = ConvexStore(convex.url, convex.deploy_key)
    yield opened
    opened.close()


def crowd(server: ConvexServer, **fields: Any) -> list[str]:
    """Ten thousand conversations that are counted already, one a second."""
    ids = server.insert(
        "conversations",
        [
            {
                "sessionId": f"session-{number}",
                "createdAt": number * 1000,
                "updatedAt": number * 1000,
                "counted": True,
                **fields,
            }
            for number in range(MANY_CONVERSATIONS)
        ],
    )
    server.insert("counters", [{"name": "conversations", "shard": 0, "value": MANY_CONVERSATIONS}])
    return ids


def long_thread(server: ConvexServer) -> str:
    """One conversation of five thousand messages; its next question's place follows them."""
    conversation = {"sessionId": SESSION, "createdAt": 1, "updatedAt": 2, "counted": True}
    (conversation_id,) = server.insert(
        "conversations", [{**conversation, "nextPosition": MANY_MESSAGES}]
    )
    server.insert(
        "messages",
        [
            {
                "conversationId": conversation_id,
                "role": ("user", "assistant")[number % 2],
                "content": f"Message {number}",
                "createdAt": number,
                "position": number,
            }
            for number in range(MANY_MESSAGES)
        ],
    )
    return conversation_id


def read_by(server: ConvexServer, path: str) -> int:
    return sum(read for called, read in server.calls() if called == path)


# Calls


def test_turn_makes_two_calls_however_long_the_conversation(
    convex: ConvexServer, store: ConvexStore
) -> None:
    long_thread(convex)

    turn = store.begin_turn(a_question(), history_limit=30, lease_s=60)
    store.finish_turn(turn, an_answer())

    assert [path for path, _ in convex.calls()] == ["turns:begin", "turns:finish"]
    assert store._api._client.connections_made == 1


def test_every_other_method_makes_one_call(convex: ConvexServer, store: ConvexStore) -> None:
    turn = store.begin_turn(a_question(), history_limit=30, lease_s=60)
    store.finish_turn(turn, an_answer())
    (_, answer) = store.read_thread(turn.conversation_id).messages
    store.read_thread(turn.conversation_id, limit=1)
    store.read_session(SESSION, limit=1)
    store.list_conversations(limit=1)
    store.rate_message(SESSION, answer.id, Feedback("up"))
    store.delete_conversation(turn.conversation_id)
    store.ping()

    assert [path for path, _ in convex.calls()] == [
        "turns:begin",
        "turns:finish",
        "conversations:thread",
        "conversations:thread",
        "conversations:bySession",
        "conversations:list",
        "messages:rate",
        "conversations:remove",
        "system:version",
    ]
    assert store._api._client.connections_made == 1


def test_whole_numbers_come_back_whole(convex: ConvexServer, store: ConvexStore) -> None:
    turn = store.begin_turn(a_question(), history_limit=30, lease_s=60)
    store.finish_turn(turn, an_answer(usage=Usage(3, 4), latency_ms=5, first_token_ms=6, model="m"))

    thread = store.read_thread(turn.conversation_id)
    answer = thread.messages[1]

    assert answer.usage is not None
    numbers = [
        turn.attempt,
        thread.conversation.created_at,
        thread.conversation.updated_at,
        answer.created_at,
        answer.usage.prompt_tokens,
        answer.usage.completion_tokens,
        answer.latency_ms,
        answer.first_token_ms,
        store.list_conversations(limit=1).total,
    ]
    assert all(type(number) is int for number in numbers)


# Reads


def test_turn_reads_its_history_and_little_more(convex: ConvexServer, store: ConvexStore) -> None:
    long_thread(convex)

    turn = store.begin_turn(a_question(), history_limit=30, lease_s=60)
    store.finish_turn(turn, an_answer())

    assert len(turn.prompt) == 30
    assert read_by(convex, "turns:begin") <= 30 + 5
    assert read_by(convex, "turns:finish") <= 5


def test_whole_thread_reads_each_message_once(convex: ConvexServer, store: ConvexStore) -> None:
    conversation_id = long_thread(convex)

    thread = store.read_thread(conversation_id)

    assert [m.created_at for m in thread.messages] == list(range(MANY_MESSAGES))
    assert thread.next_cursor is None
    calls = len(convex.calls())
    # With each call, the conversation and one more message.
    assert read_by(convex, "conversations:thread") <= MANY_MESSAGES + 2 * calls
    assert calls <= 6


def test_page_of_a_long_thread_reads_the_page(convex: ConvexServer, store: ConvexStore) -> None:
    conversation_id = long_thread(convex)

    first = store.read_thread(conversation_id, limit=50)
    store.read_thread(conversation_id, limit=50, cursor=first.next_cursor)
    newest = store.read_session(SESSION, limit=50)

    assert newest is not None
    assert newest.messages[-1].content == f"Message {MANY_MESSAGES - 1}"
    assert [read for _, read in convex.calls()] == [52, 52, 52]


def test_long_thread_is_deleted_in_bounded_batches(
    convex: ConvexServer, store: ConvexStore
) -> None:
    conversation_id = long_thread(convex)

    assert store.delete_conversation(conversation_id) is True

    assert store.read_session(SESSION, limit=1) is None
    assert read_by(convex, "conversations:remove") <= 200 + 5
    convex.settle()
    assert convex.documents("messages") == []


def test_list_reads_the_page_and_little_more(convex: ConvexServer, store: ConvexStore) -> None:
    crowd(convex)

    first = store.list_conversations(limit=100)
    second = store.list_conversations(limit=100, cursor=first.next_cursor)

    assert first.total == second.total == MANY_CONVERSATIONS
    assert [c.session_id for c in second.conversations] == [
        f"session-{MANY_CONVERSATIONS - 101 - number}" for number in range(100)
    ]
    assert all(read <= 100 + OVERHEAD for _, read in convex.calls())


@pytest.mark.parametrize(
    ("marks", "where"),
    [
        ({"hasError": True, "tally": {"error": 1}}, ConversationFilter(status="error")),
        ({"hasPartial": True, "tally": {"partial": 1}}, ConversationFilter(status="partial")),
        ({"hasUp": True, "tally": {"up": 1}}, ConversationFilter(feedback="up")),
        ({"hasDown": True, "tally": {"down": 1}}, ConversationFilter(feedback="down")),
        ({"user": "ada"}, ConversationFilter(user="ada")),
        ({}, ConversationFilter(since=5_000_000, until=5_000_001)),
    ],
)
def test_rare_conversations_are_found_without_reading_the_others(
    convex: ConvexServer, store: ConvexStore, marks: dict[str, Any], where: ConversationFilter
) -> None:
    crowd(convex)
    nothing = {"up": 0, "down": 0, "complete": 0, "partial": 0, "error": 0}
    if "tally" in marks:
        marks = {**marks, "tally": {**nothing, **marks["tally"]}}
    rare = {"sessionId": "rare", "createdAt": 1, "updatedAt": 5_000_000.5, "counted": True}
    convex.insert("conversations", [{**rare, **marks}])

    page = store.list_conversations(limit=10, where=where)

    assert "rare" in [c.session_id for c in page.conversations]
    assert len(page.conversations) <= 2
    assert page.next_cursor is None
    assert read_by(convex, "conversations:list") <= 10


def test_filter_without_an_index_reads_a_bounded_stretch(
    convex: ConvexServer, store: ConvexStore
) -> None:
    crowd(convex)
    found: list[str] = []

    cursor: str | None = None
    while cursor is not None or not convex.calls():
        page = store.list_conversations(
            limit=10, cursor=cursor, where=ConversationFilter(page="https://a.example/")
        )
        found += [c.session_id for c in page.conversations]
        cursor = page.next_cursor

    assert found == []
    assert all(read <= 2_250 for _, read in convex.calls())
    assert read_by(convex, "conversations:list") == MANY_CONVERSATIONS


def all_found(store: ConvexStore, text: str) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = store.list_conversations(
            limit=200, cursor=cursor, where=ConversationFilter(text=text)
        )
        found += [conversation.session_id for conversation in page.conversations]
        cursor = page.next_cursor
        if cursor is None:
            return found


def threads(server: ConvexServer, said: list[str], length: int = 50) -> list[str]:
    """Write conversations, in each one text again and again; returns the sessions, newest first."""
    sessions = [f"session-{number}" for number in range(len(said))]
    at = [{"createdAt": number, "updatedAt": number} for number in range(len(said))]
    ids = server.insert(
        "conversations",
        [{"sessionId": id_, **each} for id_, each in zip(sessions, at, strict=True)],
    )
    server.insert(
        "messages",
        [
            {"conversationId": id_, "role": "user", "content": text, "createdAt": 1}
            for id_, text in zip(ids, said, strict=True)
            for _ in range(length)
        ],
    )
    return sessions[::-1]


def test_search_reads_no_more_than_its_hits(convex: ConvexServer, store: ConvexStore) -> None:
    threads(convex, ["A parcel"] * 10 + ["Hay"] * 50)

    page = store.list_conversations(limit=5, where=ConversationFilter(text="parcel"))

    assert (len(page.conversations), page.found) == (5, 10)
    assert read_by(convex, "conversations:list") <= 512 + 10


def test_word_that_the_index_cannot_tell_everywhere_is_found_everywhere(
    convex: ConvexServer, store: ConvexStore
) -> None:
    newest_first = threads(convex, ["A parcel", "Hay", "Hay", "Hay"] * 15)

    found = all_found(store, "parcel")

    assert found == newest_first[3::4]
    assert len(convex.calls()) == 2
    assert all(read <= 512 + 2_250 + 50 for _, read in convex.calls())


@pytest.mark.parametrize("part", ["711-08", "АКАЗ"])
def test_part_of_a_word_that_begins_none_is_found(
    convex: ConvexServer, store: ConvexStore, part: str
) -> None:
    newest_first = threads(convex, ["Мой заказ №4711-0815?", *["Hay"] * 58, "Заказ 4711-0815"])

    assert all_found(store, part) == [newest_first[0], newest_first[-1]]
    assert all(read <= 512 + 2_250 + 50 for _, read in convex.calls())


def test_long_conversation_is_looked_through_to_its_beginning(
    convex: ConvexServer, store: ConvexStore
) -> None:
    long_thread(convex)

    page = store.list_conversations(limit=1, where=ConversationFilter(text="essage 0"))

    (found,) = page.conversations
    assert found.match is not None
    assert found.match.text == "Message 0"
    assert page.next_cursor is None


def test_long_messages_end_a_page_of_a_search_early(
    convex: ConvexServer, store: ConvexStore
) -> None:
    threads(convex, ["a" * 300_000] * 20, length=1)

    assert all_found(store, "ab") == []

    # Two million characters a page, and what the last message has more.
    assert len(convex.calls()) == 3


# Retention


def test_retention_is_off_by_default(convex: ConvexServer, store: ConvexStore) -> None:
    convex.insert("conversations", [{"sessionId": "old", "createdAt": 1, "updatedAt": 1}])

    convex.call("mutation", "maintenance:forget", {})

    assert len(convex.documents("conversations")) == 1


def test_batch_of_the_purge_reads_little_however_much_is_due(
    convex: ConvexServer, store: ConvexStore
) -> None:
    crowd(convex)
    long_thread(convex)

    purged = store.purge(unused_days=30)

    assert purged.has_more
    assert 1 <= purged.conversations <= 20
    assert read_by(convex, "maintenance:purge") <= 200 + 2 * (200 + 1) + 20 * 2


def test_retention_forgets_what_is_older_and_nothing_else(
    convex: ConvexServer, store: ConvexStore
) -> None:
    store.begin_turn(a_question(session_id="fresh"), history_limit=30, lease_s=60)
    convex.insert(
        "conversations",
        [{"sessionId": f"old-{n}", "createdAt": n, "updatedAt": n} for n in range(100)],
    )
    convex.set_variable("RETENTION_DAYS", "30")

    try:
        convex.call("mutation", "maintenance:forget", {})
        convex.settle()
    finally:
        convex.set_variable("RETENTION_DAYS", None)

    assert [c["sessionId"] for c in convex.documents("conversations")] == ["fresh"]
    assert store.list_conversations(limit=10).total == 1
