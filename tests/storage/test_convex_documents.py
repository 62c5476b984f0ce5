"""Documents in Convex beyond the contract: its limits, repetitions, and older functions."""

import random
from collections.abc import Iterator

import pytest

from app.domain.knowledge import MAX_DOCUMENT_BYTES, Document, Section, Source, StoreState
from app.storage.convex import ConvexStore
from tests.convex_server import ConvexServer
from tests.data import a_question, an_answer, say

BATCH = 4
ASSISTANT = {"assistant": "default"}


@pytest.fixture
def store(convex: ConvexServer) -> Iterator[ConvexStore]:
    opened = ConvexStore(convex.url, convex.deploy_key)
    yield opened
    opened.close()


def a_long_document(number: int, seed: int = 0) -> Document:
    """A document of the longest text, of which compression makes nothing short."""
    letters = random.Random(number + seed).choices(
        range(0x4E00, 0x9FFF), k=MAX_DOCUMENT_BYTES // 3 - 9
    )
    text = "".join(map(chr, letters))
    return Document(
        "default", f"text:{number:02}", "text", "Long", (Section("", text),), hash=text[:9]
    )


def put(store: ConvexStore, documents: list[Document]) -> None:
    for begin in range(0, len(documents), BATCH):
        store.documents.put_documents("default", documents[begin : begin + BATCH])


# Limits


def test_many_of_the_longest_documents_are_written_read_and_forgotten(
    convex: ConvexServer, store: ConvexStore
) -> None:
    documents = [a_long_document(number) for number in range(24)]
    put(store, documents)

    read: list[Document] = []
    cursor = None
    while True:
        page = store.documents.documents_since("default", 0, cursor=cursor)
        read += page.documents
        cursor = page.next_cursor
        if cursor is None:
            break
    listed = store.documents.list_documents("default", limit=100)
    store.documents.forget_documents("default", [each.key for each in documents])
    convex.settle()

    assert [each.sections for each in read] == [each.sections for each in documents]
    assert len(listed.documents) == 24
    assert convex.documents("sections") == []


def test_sections_of_what_changed_are_not_kept(convex: ConvexServer, store: ConvexStore) -> None:
    put(store, [a_long_document(number) for number in range(20)])
    shorter = [
        Document("default", f"text:{number:02}", "text", "Short", (), hash=str(number))
        for number in range(20)
    ]

    store.documents.put_documents("default", shorter)
    convex.settle()

    assert len(convex.documents("sections")) == 20
    assert [each.sections for each in store.documents.documents_since("default", 0).documents] == [
        ()
    ] * 20


def test_list_and_unchanged_documents_read_no_sections(
    convex: ConvexServer, store: ConvexStore
) -> None:
    documents = [
        Document("default", f"text:{number:02}", "text", "Short", (), hash=str(number))
        for number in range(50)
    ]
    store.documents.put_documents("default", documents)
    store.documents.put_documents("default", documents)
    store.documents.list_documents("default", limit=10)

    (*_, (_, unchanged), (_, listed)) = convex.calls()
    assert (unchanged, listed) == (50 + 1, 10 + 1 + 1)


def test_more_keys_than_one_transaction_finds_are_forgotten(
    convex: ConvexServer, store: ConvexStore
) -> None:
    store.documents.put_documents("default", [a_long_document(1)])

    version = store.documents.forget_documents(
        "default", [*(f"text:none-{n}" for n in range(2500)), "text:01"]
    )

    assert version == 2
    assert len(convex.calls()) == 1 + 3


def test_citations_are_counted_over_more_answers_than_one_call_reads(
    convex: ConvexServer, store: ConvexStore
) -> None:
    conversation_id = say(store)
    fields = {"conversationId": conversation_id, "role": "assistant", "content": "Nine."}
    source = {"n": 1, "title": "Öffnungszeiten"}
    convex.insert(
        "messages",
        [
            {**fields, "createdAt": n // 700, "sourcesOf": "default", "sources": [source]}
            for n in range(2300)
        ],
    )

    counted = store.documents.count_citations("default", 0)

    assert counted == {"Öffnungszeiten": 2000}


# Repetitions


def test_cancelling_is_told_to_a_report_whose_first_answer_was_lost(
    convex: ConvexServer, store: ConvexStore
) -> None:
    store.documents.cancel_learning("default")
    convex.fail("lost", path="knowledge:putLearning", times=1)

    told = [store.documents.put_report("default", "{}") for _ in range(2)]

    assert told == [False, True]


def test_documents_whose_first_answer_was_lost_have_one_version(
    convex: ConvexServer, store: ConvexStore
) -> None:
    convex.fail("lost", path="documents:put", times=1)

    version = store.documents.put_documents("default", [a_long_document(1)])

    assert version == 1


# Older functions, and older servers


def test_functions_that_know_no_documents_tell_the_switches(
    convex: ConvexServer, store: ConvexStore
) -> None:
    store.set_switch("off", thrown=True)
    convex.fail("undeployed", path="switches:state")

    assert store.read_state() == StoreState(frozenset({"off"}), {})


def test_older_server_goes_on_beside_what_is_new(convex: ConvexServer, store: ConvexStore) -> None:
    store.set_switch("off", thrown=True)
    say(store, answer=an_answer(sources=(Source(1, "Hours", "https://shop.example/"),)))

    switches = convex.call("query", "switches:read", {})
    question = {
        "sessionId": a_question().session_id,
        "turnId": "turn-0002",
        "content": "Hi",
        "regenerate": False,
    }
    begun = convex.call(
        "mutation",
        "turns:begin",
        {"question": question, "historyLimit": 9, "leaseMs": 60_000, "holder": "old"},
    )
    finished = convex.call(
        "mutation",
        "turns:finish",
        {
            "conversationId": begun["conversationId"],
            "turnId": "turn-0002",
            "attempt": 1,
            "answer": {"content": "Hello", "status": "complete"},
        },
    )

    assert switches == ["off"]
    assert [each["role"] for each in begun["prompt"]] == ["user", "assistant", "user"]
    assert finished["messageId"]
    assert store.documents.list_gaps("default", limit=5) == ()
