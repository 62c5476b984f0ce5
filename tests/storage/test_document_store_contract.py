"""What any ``DocumentStore`` must do with documents, claim by claim."""

from dataclasses import replace

import pytest

from app.domain.errors import InvalidRequest
from app.domain.knowledge import MAX_DOCUMENT_BYTES, MAX_KEY_CHARS, Document, Section
from app.storage.document_store import (
    MAX_PUT_DOCUMENTS,
    MAX_REPORT_BYTES,
    TOMBSTONE_DAYS,
    DocumentStore,
)
from app.storage.protocol import ConversationStore
from tests.storage.stores import Advance

DAY_MS = 24 * 60 * 60 * 1000
EVERYTHING = Document(
    assistant="default",
    key="https://shop.example/hours",
    kind="page",
    title="Öffnungszeiten 營業時間",
    sections=(
        Section("", "We open\nat “nine”. \\ \x07"),
        Section("Hours › Sunday", "Closed. 🙈", "sunday"),
    ),
    url="https://shop.example/hours?lang=de",
    language="de",
    is_pinned=True,
    hash="h1",
    learnt_at=1_700_000_000_001,
    problem="It answered 500.",
    missing=1,
)


@pytest.fixture
def documents(store: ConversationStore) -> DocumentStore:
    return store.documents


def a_document(key: str = "text:1", **fields: object) -> Document:
    """A short text, whose hash is that of what it says unless told otherwise."""
    document = Document("default", key, "text", "Hours", (Section("", "Nine to five."),), hash="h1")
    return replace(document, **fields)  # type: ignore[arg-type]


def saying(text: str, key: str = "text:1", **fields: object) -> Document:
    return a_document(key, sections=(Section("", text),), hash=text[-40:], **fields)


def keys(found: DocumentStore, since: int = 0, assistant: str = "default") -> list[str]:
    """Return the keys of what changed after a version; those of tombstones behind a cross."""
    page = found.documents_since(assistant, since)
    assert page.next_cursor is None
    return [f"+{each.key}" if each.is_forgotten else each.key for each in page.documents]


# Storing


def test_every_field_of_a_document_comes_back(documents: DocumentStore) -> None:
    version = documents.put_documents("default", [EVERYTHING])

    read = documents.read_document("default", EVERYTHING.key)
    (listed,) = documents.list_documents("default", limit=10).documents
    (changed,) = documents.documents_since("default", 0).documents

    assert version == 1
    assert read is not None
    assert read.changed_at > 1_600_000_000_000
    assert read == replace(EVERYTHING, version=1, changed_at=read.changed_at)
    assert changed == read
    assert listed == replace(read, sections=())


def test_what_may_be_missing_may_be_missing(documents: DocumentStore) -> None:
    documents.put_documents("default", [a_document(sections=())])

    read = documents.read_document("default", "text:1")

    assert read == a_document(sections=(), version=1, changed_at=read.changed_at if read else 0)


def test_there_is_nothing_at_first(store: ConversationStore, documents: DocumentStore) -> None:
    page = documents.documents_since("default", 0)

    assert (page.documents, page.version, page.next_cursor) == ((), 0, None)
    assert documents.list_documents("default", limit=10) == page
    assert documents.read_document("default", "text:1") is None
    assert documents.forget_documents("default", ["text:1"]) == 0
    assert documents.put_documents("default", []) == 0
    assert store.read_state().knowledge == {}


def test_each_write_that_changes_content_raises_the_version_by_one(
    store: ConversationStore, documents: DocumentStore
) -> None:
    versions = [
        documents.put_documents("default", [saying("One"), saying("Two", "text:2")]),
        documents.put_documents("default", [saying("One, again")]),
        documents.forget_documents("default", ["text:2", "text:3"]),
    ]

    assert versions == [1, 2, 3]
    assert store.read_state().knowledge == {"default": 3}
    assert [keys(documents, since) for since in (0, 1, 2, 3)] == [
        ["text:1", "+text:2"],
        ["text:1", "+text:2"],
        ["+text:2"],
        [],
    ]


def test_documents_of_one_write_have_one_version(documents: DocumentStore) -> None:
    documents.put_documents("default", [saying("One"), saying("Two", "text:2")])

    page = documents.documents_since("default", 0)

    assert [each.version for each in page.documents] == [1, 1]


def test_equal_hash_keeps_the_version_and_notes_what_was_seen(
    documents: DocumentStore, advance: Advance
) -> None:
    documents.put_documents("default", [a_document(learnt_at=1)])
    before = documents.read_document("default", "text:1")
    advance(1000)

    # As a list tells of it: without its sections.
    seen = a_document(title="", sections=(), learnt_at=2, problem="It answered 404.", missing=1)
    version = documents.put_documents("default", [seen])

    assert version == 1
    assert before is not None
    assert documents.read_document("default", "text:1") == replace(
        before, learnt_at=2, problem="It answered 404.", missing=1
    )


def test_problem_ends_when_it_is_learnt_again(documents: DocumentStore) -> None:
    documents.put_documents("default", [a_document(problem="It answered 404.", missing=1)])
    documents.put_documents("default", [a_document()])

    read = documents.read_document("default", "text:1")

    assert read is not None
    assert (read.problem, read.missing) == (None, 0)


@pytest.mark.parametrize(
    "change", [{"is_pinned": True}, {"url": "https://shop.example/"}, {"language": "en"}]
)
def test_equal_hash_with_another_place_changes_the_version_alone(
    documents: DocumentStore, change: dict[str, object]
) -> None:
    documents.put_documents("default", [a_document()])

    version = documents.put_documents("default", [a_document(sections=(), **change)])

    read = documents.read_document("default", "text:1")
    assert version == 2
    assert read == a_document(**change, version=2, changed_at=read.changed_at if read else 0)


def test_one_changed_among_unchanged_is_all_that_changed(documents: DocumentStore) -> None:
    documents.put_documents("default", [saying("One"), saying("Two", "text:2")])

    documents.put_documents("default", [saying("One"), saying("Two!", "text:2")])

    assert keys(documents, since=1) == ["text:2"]


def test_of_the_same_key_twice_the_last_stays(documents: DocumentStore) -> None:
    documents.put_documents("default", [saying("One"), saying("Two")])

    read = documents.read_document("default", "text:1")

    assert read is not None
    assert read.sections == (Section("", "Two"),)
    assert keys(documents) == ["text:1"]


@pytest.mark.parametrize(
    "too_much",
    [
        [a_document(f"text:{n}") for n in range(MAX_PUT_DOCUMENTS + 1)],
        [saying("x" * (MAX_DOCUMENT_BYTES - 4))],
        [saying("ü" * 440_000, f"text:{n}") for n in range(5)],
        [a_document("")],
        [a_document("x" * (MAX_KEY_CHARS + 1))],
        [a_document(assistant="shop")],
    ],
    ids=["documents", "bytes of one", "bytes together", "no key", "long key", "another's"],
)
def test_bounds_are_held(documents: DocumentStore, too_much: list[Document]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        documents.put_documents("default", too_much)

    assert keys(documents) == []


def test_longest_document_of_the_longest_key_is_kept(documents: DocumentStore) -> None:
    # Line breaks and quotes take twice as much in JSON.
    text = 'A "line" of it.\n' * ((MAX_DOCUMENT_BYTES - 100) // 16)
    key = "é" * MAX_KEY_CHARS
    documents.put_documents("default", [saying(text, key)])
    documents.put_documents("default", [saying(text + "!", key)])

    read = documents.read_document("default", key)

    assert read is not None
    assert read.sections == (Section("", text + "!"),)


# Forgetting


def test_forgotten_document_leaves_a_tombstone_without_content(
    store: ConversationStore, documents: DocumentStore
) -> None:
    documents.put_documents("default", [EVERYTHING])

    documents.forget_documents("default", [EVERYTHING.key])

    (left,) = documents.documents_since("default", 1).documents
    assert (left.key, left.version, left.is_forgotten) == (EVERYTHING.key, 2, True)
    assert (left.title, left.sections, left.url, left.problem) == ("", (), None, None)
    assert documents.read_document("default", EVERYTHING.key) is None
    assert documents.list_documents("default", limit=10).documents == ()
    assert documents.list_documents("default", limit=10).version == 2
    # Without documents there is nothing to look into.
    assert store.read_state().knowledge == {}


def test_forgotten_again_nothing_changes(documents: DocumentStore) -> None:
    documents.put_documents("default", [a_document()])

    versions = [documents.forget_documents("default", ["text:1"]) for _ in range(2)]

    assert versions == [2, 2]


def test_forgotten_document_may_be_learnt_again(
    store: ConversationStore, documents: DocumentStore
) -> None:
    documents.put_documents("default", [a_document()])
    documents.forget_documents("default", ["text:1"])

    version = documents.put_documents("default", [a_document()])

    read = documents.read_document("default", "text:1")
    assert version == 3
    assert read == a_document(version=3, changed_at=read.changed_at if read else 0)
    assert keys(documents) == ["text:1"]
    assert store.read_state().knowledge == {"default": 3}


def test_tombstones_go_after_their_days(documents: DocumentStore, advance: Advance) -> None:
    documents.put_documents("default", [saying("One"), saying("Two", "text:2")])
    documents.forget_documents("default", ["text:1"])
    advance(TOMBSTONE_DAYS * DAY_MS - 1000)
    documents.put_documents("default", [saying("Three", "text:3")])
    kept = keys(documents)
    advance(2000)

    version = documents.put_documents("default", [saying("Four", "text:4")])

    assert kept == ["text:2", "+text:1", "text:3"]
    assert keys(documents) == ["text:2", "text:3", "text:4"]
    assert version == 4


# Reading in pages


def test_changes_come_in_pages_of_some_megabytes_in_order(documents: DocumentStore) -> None:
    for n in range(12):
        documents.put_documents("default", [saying(str(n % 10) * 800_000, f"text:{n % 8}")])
    documents.forget_documents("default", ["text:7"])

    pages = [documents.documents_since("default", 0)]
    while pages[-1].next_cursor is not None:
        pages.append(documents.documents_since("default", 0, cursor=pages[-1].next_cursor))

    found = [each for page in pages for each in page.documents]
    assert len(pages) == 2
    assert [each.version for each in found] == sorted(each.version for each in found)
    assert [each.key for each in found] == [f"text:{n}" for n in (4, 5, 6, 0, 1, 2, 3, 7)]
    assert {page.version for page in pages} == {13}


def test_what_changes_between_two_pages_comes_at_its_end(documents: DocumentStore) -> None:
    for n in range(6):
        documents.put_documents("default", [saying(str(n) * 800_000, f"text:{n}")])
    first = documents.documents_since("default", 0)
    documents.put_documents("default", [saying("One", "text:0")])
    documents.put_documents("default", [saying("Five", "text:5")])

    second = documents.documents_since("default", 0, cursor=first.next_cursor)

    assert {each.key for each in first.documents} == {
        f"text:{n}" for n in range(len(first.documents))
    }
    assert [each.key for each in second.documents][-2:] == ["text:0", "text:5"]
    assert second.version == 8


def test_documents_are_listed_by_key_in_pages(documents: DocumentStore) -> None:
    names = [
        "correction:1",
        "file:a.pdf",
        "https://shop.example/",
        "https://shop.example/a",
        "text:1",
    ]
    documents.put_documents("default", [saying(key, key) for key in reversed(names)])

    found: list[str] = []
    cursor = None
    for _ in names[::2]:
        page = documents.list_documents("default", limit=2, cursor=cursor)
        found += [each.key for each in page.documents]
        cursor = page.next_cursor

    assert (found, cursor) == (names, None)


def test_list_goes_on_behind_a_document_that_was_forgotten(documents: DocumentStore) -> None:
    documents.put_documents("default", [saying(str(n), f"text:{n}") for n in range(4)])
    first = documents.list_documents("default", limit=2)
    documents.forget_documents("default", ["text:1", "text:2"])

    second = documents.list_documents("default", limit=2, cursor=first.next_cursor)

    assert [each.key for each in second.documents] == ["text:3"]
    assert second.next_cursor is None


def test_many_tombstones_do_not_empty_the_list(documents: DocumentStore) -> None:
    for begin in range(0, 150, 50):
        batch = [saying(str(n), f"text:{n:03}") for n in range(begin, begin + 50)]
        documents.put_documents("default", batch)
    documents.forget_documents("default", [f"text:{n:03}" for n in range(149)])

    page = documents.list_documents("default", limit=1)

    assert [each.key for each in page.documents] == ["text:149"]


@pytest.mark.parametrize("cursor", ["", "!", "eA", "ZA", "zzzz"])
def test_foreign_cursor_is_refused(documents: DocumentStore, cursor: str) -> None:
    documents.put_documents("default", [a_document()])

    with pytest.raises(InvalidRequest):
        documents.list_documents("default", limit=2, cursor=cursor)


# Each assistant's own


def test_assistants_know_nothing_of_each_other(
    store: ConversationStore, documents: DocumentStore
) -> None:
    documents.put_documents("default", [saying("One")])
    documents.put_documents("default", [saying("Two", "text:2")])
    documents.put_documents("shop", [saying("Other", assistant="shop")])
    documents.forget_documents("shop", ["text:2"])

    other = documents.read_document("shop", "text:1")

    assert other is not None
    assert (other.assistant, other.sections[0].text) == ("shop", "Other")
    assert store.read_state().knowledge == {"default": 2, "shop": 1}
    assert (keys(documents), keys(documents, assistant="shop")) == (
        ["text:1", "text:2"],
        ["text:1"],
    )
    assert len(documents.list_documents("shop", limit=5).documents) == 1
    assert documents.read_document("shop", "text:2") is None


# How learning goes


def test_last_report_is_kept(documents: DocumentStore) -> None:
    assert documents.read_report("default") is None

    goes_on = [documents.put_report("default", f'{{"pages":{n}}}') for n in range(2)]

    assert goes_on == [True, True]
    assert documents.read_report("default") == '{"pages":1}'
    assert documents.read_report("shop") is None


def test_cancelled_learning_is_told_at_its_next_report_once(documents: DocumentStore) -> None:
    documents.put_report("default", "{}")
    documents.cancel_learning("default")

    told = [documents.put_report(name, "{}") for name in ("shop", "default", "default")]

    assert told == [True, False, True]


def test_learning_may_be_cancelled_before_its_first_report(documents: DocumentStore) -> None:
    documents.cancel_learning("default")

    assert documents.read_report("default") is None
    assert documents.put_report("default", "{}") is False


def test_report_is_kept_up_to_its_bound(documents: DocumentStore) -> None:
    with pytest.raises(ValueError, match="report"):
        documents.put_report("default", "x" * (MAX_REPORT_BYTES + 1))

    assert documents.put_report("default", "x" * MAX_REPORT_BYTES)
