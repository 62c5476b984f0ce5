"""Several assistants in one deployment of Convex: older documents, and what is read."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.conversation import DEFAULT_ASSISTANT, ConversationFilter
from app.domain.errors import AssistantMismatch
from app.storage.convex import ConvexStore
from tests.convex_server import ConvexServer
from tests.data import a_question, an_answer
from tests.storage.test_convex_bounds import MANY_CONVERSATIONS, crowd, read_by
from tests.storage.test_convex_figures import SHARDS
from tests.storage.test_store_contract import begin, say, sessions

THEN_MS = 1_600_000_000_000
THEN = "2020-09-13"
ITS_OWN = ConversationFilter(assistant=DEFAULT_ASSISTANT)


@pytest.fixture
def store(convex: ConvexServer) -> Iterator[ConvexStore]:
    opened = ConvexStore(convex.url, convex.deploy_key)
    yield opened
    opened.close()


def write_version_3(server: ConvexServer) -> None:
    """Write two conversations and their figures as the functions of version 3 left them."""
    marks = {"hasUp": False, "hasDown": False, "hasPartial": False}
    tally = {"up": 0, "down": 0, "partial": 0}
    common = {"createdAt": THEN_MS, "counted": True, "figured": True, "seenDay": THEN, **marks}
    answered, failed = server.insert(
        "conversations",
        [
            {
                **common,
                "sessionId": "session-1",
                "updatedAt": THEN_MS + 2,
                "lastMessage": "Nine to five.",
                "lastQuestion": "What are your hours?",
                "messageCount": 2,
                "nextPosition": 2,
                "hasError": False,
                "tally": {**tally, "complete": 1, "error": 0},
            },
            {
                **common,
                "sessionId": "session-2",
                "updatedAt": THEN_MS + 5,
                "lastMessage": "Hi",
                "lastQuestion": "Hi",
                "messageCount": 1,
                "nextPosition": 2,
                "hasError": True,
                "tally": {**tally, "complete": 0, "error": 1},
            },
        ],
    )
    said = {"turnId": "turn-0001", "createdAt": THEN_MS, "conversationId": answered}
    asked = {**said, "role": "user", "attempt": 1, "finished": 1, "position": 0}
    answer = {"role": "assistant", "content": "Nine to five.", "status": "complete", "position": 1}
    failure = {"status": "error", "errorCode": "model_timeout", "requestId": "request-2"}
    server.insert(
        "messages",
        [
            {**asked, "content": "What are your hours?"},
            {**said, **answer},
            {**asked, "conversationId": failed, "content": "Hi", **failure},
        ],
    )
    server.insert("counters", [{"name": "conversations", "shard": 2, "value": 2}])
    counts: dict[str, int] = {"turns": 2, "errors": 1, "visitors": 2, "conversations": 2}
    periods = (("day", THEN), ("hour", f"{THEN}T12"))
    server.insert(
        "figures",
        [{"span": span, "period": at, "shard": 3, "counts": counts} for span, at in periods],
    )


# Documents of version 3


def test_what_version_3_wrote_is_the_default_assistants(
    convex: ConvexServer, store: ConvexStore
) -> None:
    write_version_3(convex)

    everything = store.list_conversations(limit=10)
    figures = store.read_figures(THEN, THEN)

    assert sessions(everything.conversations) == ["session-2", "session-1"]
    assert {each.assistant for each in everything.conversations} == {DEFAULT_ASSISTANT}
    page = store.list_conversations(limit=10, where=ITS_OWN)
    assert (page.conversations, page.found) == (everything.conversations, 2)
    (failed,) = store.list_marked_turns("error", limit=5, assistant=DEFAULT_ASSISTANT)
    assert failed.question.error_code == "model_timeout"
    assert [(each.turns, each.visitors) for each in figures] == [(2, 2)]
    assert store.read_figures(THEN, THEN, DEFAULT_ASSISTANT) == figures
    hours = store.read_figures(f"{THEN}T00", f"{THEN}T23", DEFAULT_ASSISTANT)
    assert [each.turns for each in hours] == [2]


def test_what_version_3_wrote_is_no_other_assistants(
    convex: ConvexServer, store: ConvexStore
) -> None:
    write_version_3(convex)
    say(store, session_id="session-3", assistant="shop")

    page = store.list_conversations(limit=10, where=ConversationFilter(assistant="shop"))

    assert sessions(page.conversations) == ["session-3"]
    assert list(store.list_marked_turns("error", limit=5, assistant="shop")) == []
    assert list(store.read_figures(THEN, THEN, "shop")) == []
    with pytest.raises(AssistantMismatch):
        begin(store, session_id="session-1", turn_id="turn-0002", assistant="shop")


def test_conversation_of_version_3_goes_on(convex: ConvexServer, store: ConvexStore) -> None:
    write_version_3(convex)

    turn = begin(store, session_id="session-1", turn_id="turn-0002", content="Again")

    assert [said.content for said in turn.prompt] == [
        "What are your hours?",
        "Nine to five.",
        "Again",
    ]
    assert store.list_conversations(limit=1, where=ITS_OWN).conversations[0].message_count == 3


def test_new_documents_of_the_default_assistant_look_like_the_old(
    convex: ConvexServer, store: ConvexStore
) -> None:
    say(store)
    say(store, session_id="session-2", assistant="shop")
    store.add_figures({"limits_hit": 1})

    def named(table: str) -> set[str | None]:
        return {document.get("assistant") for document in convex.documents(table)}

    assert [each.get("assistant") for each in convex.documents("conversations")] == [None, "shop"]
    assert named("figures") == {None, "shop"}


def test_server_of_version_3_goes_on_with_its_own_conversations(
    convex: ConvexServer, store: ConvexStore
) -> None:
    say(store)
    say(store, session_id="session-2", assistant="shop")

    def begun(session_id: str) -> Any:
        question = {"sessionId": session_id, "turnId": "turn-0002", "content": "Hi"}
        args = {"question": {**question, "regenerate": False}, "holder": "old"}
        return convex.call("mutation", "turns:begin", {**args, "historyLimit": 9, "leaseMs": 60})

    assert begun("session-1")["outcome"] == "begun"
    assert begun("session-2") == {"outcome": "otherAssistant"}
    convex.call("mutation", "figures:add", {"counts": {"limits_hit": 1}})
    found = convex.call("query", "figures:read", {"first": "2000-01-01", "last": "2999-12-31"})
    assert [each["counts"]["turns"] for each in found] == [2]


# What is read


@pytest.mark.parametrize(
    ("marks", "where"),
    [
        ({}, ConversationFilter()),
        ({"hasError": True, "tally": {"error": 1}}, ConversationFilter(status="error")),
        ({"hasPartial": True, "tally": {"partial": 1}}, ConversationFilter(status="partial")),
        ({"hasUp": True, "tally": {"up": 1}}, ConversationFilter(feedback="up")),
        ({"hasDown": True, "tally": {"down": 1}}, ConversationFilter(feedback="down")),
    ],
)
@pytest.mark.parametrize(("rare", "common"), [("shop", None), (DEFAULT_ASSISTANT, "shop")])
def test_small_assistant_is_listed_without_reading_a_large_one(
    convex: ConvexServer,
    store: ConvexStore,
    marks: dict[str, Any],
    where: ConversationFilter,
    rare: str,
    common: str | None,
) -> None:
    if "tally" in marks:
        nothing = {"up": 0, "down": 0, "complete": 0, "partial": 0, "error": 0}
        marks = {**marks, "tally": {**nothing, **marks["tally"]}}
    crowd(convex, **marks, **({"assistant": common} if common else {}))
    one = {"sessionId": "rare", "createdAt": 1, "updatedAt": 1, "counted": True, **marks}
    convex.insert("conversations", [one | ({} if common else {"assistant": rare})])

    asked = ConversationFilter(assistant=rare, status=where.status, feedback=where.feedback)
    page = store.list_conversations(limit=10, where=asked)

    assert sessions(page.conversations) == ["rare"]
    assert page.next_cursor is None
    assert read_by(convex, "conversations:list") == 1
    mark = where.status or where.feedback
    if mark is not None and mark != "complete":
        store.list_marked_turns(mark, limit=5, assistant=rare)
        assert read_by(convex, "conversations:marked") <= 2


def test_large_assistant_is_read_a_page_at_a_time(convex: ConvexServer, store: ConvexStore) -> None:
    crowd(convex)

    page = store.list_conversations(limit=100, where=ITS_OWN)

    assert sessions(page.conversations)[0] == f"session-{MANY_CONVERSATIONS - 1}"
    assert page.next_cursor is not None
    assert read_by(convex, "conversations:list") <= 102


def test_figures_of_one_assistant_do_not_read_the_others(
    convex: ConvexServer, store: ConvexStore
) -> None:
    convex.insert("figures", [shard(f"2026-10-{day:02}", "shop") for day in range(1, 31)])
    convex.insert("figures", [shard("2026-10-09", None)])

    (found,) = store.read_figures("2026-10-01", "2026-10-31", DEFAULT_ASSISTANT)

    assert (found.day, found.turns) == ("2026-10-09", 1)
    assert read_by(convex, "figures:read") == 1


def test_sum_of_more_than_one_call_may_read_is_whole(
    convex: ConvexServer, store: ConvexStore
) -> None:
    days = [f"2026-{month:02}-{day:02}" for month in range(1, 8) for day in range(1, 29)]
    names = (None, "docs", "shop")
    convex.insert(
        "figures",
        [shard(day, name, number) for day in days for name in names for number in range(SHARDS)],
    )

    found = store.read_figures("2026-01-01", "2026-12-31")

    assert [(each.day, each.turns) for each in found] == [(day, 3 * SHARDS) for day in days]
    assert [read for _, read in convex.calls()] == [3200, 3 * SHARDS * len(days) - 3192]


def test_turn_of_any_assistant_makes_two_calls(convex: ConvexServer, store: ConvexStore) -> None:
    turn = store.begin_turn(a_question(assistant="shop"), history_limit=30, lease_s=60)
    store.finish_turn(turn, an_answer())

    assert [path for path, _ in convex.calls()] == ["turns:begin", "turns:finish"]


def shard(day: str, assistant: str | None, number: int = 0) -> dict[str, Any]:
    """A shard of a day's figures, one turn in each."""
    counted = {"span": "day", "period": day, "shard": number, "counts": {"turns": 1}}
    return counted | ({} if assistant is None else {"assistant": assistant})
