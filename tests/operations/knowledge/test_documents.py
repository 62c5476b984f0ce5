"""What the owner does with documents."""

import pytest

from app.domain.errors import InvalidRequest, NotFound
from app.domain.knowledge import Section
from app.operations.knowledge.documents import (
    MAX_TEXT_CHARS,
    Documents,
    split_sections,
    state_of,
)
from app.storage.protocol import ConversationStore
from tests.knowledge_parts import ASSISTANT, PAGE, a_document, put

NOW = 1_800_000_000_000


@pytest.fixture
def documents(store: ConversationStore) -> Documents:
    return Documents(store.documents, ASSISTANT)


def a_correction(number: int) -> object:
    key = f"correction:{number:04}"
    return a_document(key=key, kind="correction", title=f"Question {number}", url=None, hash=key)


def test_list_leaves_corrections_out_and_reads_on_where_a_page_has_nothing_else(
    store: ConversationStore, documents: Documents
) -> None:
    put(store, *(a_correction(number) for number in range(5)), a_document())  # type: ignore[arg-type]

    page = documents.list(limit=2)

    assert [each.key for each in page.documents] == [PAGE]
    assert page.next_cursor is None


def test_document_with_a_problem_is_stale() -> None:
    assert state_of(a_document()) == "learned"
    assert state_of(a_document(problem="it answered 500")) == "stale"


def test_forgotten_document_is_gone_and_cannot_be_forgotten_twice(
    store: ConversationStore, documents: Documents
) -> None:
    put(store, a_document())

    documents.forget(PAGE)

    assert documents.list(limit=10).documents == []
    with pytest.raises(NotFound):
        documents.forget(PAGE)


def test_correction_is_no_document_to_be_read_or_forgotten(
    store: ConversationStore, documents: Documents
) -> None:
    put(store, a_correction(1))  # type: ignore[arg-type]

    with pytest.raises(NotFound):
        documents.read("correction:0001")
    with pytest.raises(NotFound):
        documents.forget("correction:0001")


def test_pin_keeps_what_stands_in_the_document(
    store: ConversationStore, documents: Documents
) -> None:
    put(store, a_document())

    documents.pin(PAGE, pinned=True)
    pinned = documents.read(PAGE)
    documents.pin(PAGE, pinned=False)

    assert pinned.is_pinned
    assert pinned.sections == a_document().sections
    assert not documents.read(PAGE).is_pinned


def test_long_document_cannot_be_pinned(store: ConversationStore, documents: Documents) -> None:
    put(store, a_document(sections=(Section("", "many words " * 1000),)))

    with pytest.raises(InvalidRequest, match="too long to be told with every question"):
        documents.pin(PAGE, pinned=True)


def test_text_is_stored_in_sections_and_replaced_by_its_id(documents: Documents) -> None:
    documents.put_text("Hours", "Nine to five.", now_ms=NOW, text_id="hours", pinned=True)
    documents.put_text(
        " Opening  hours ", "All week.\r\n\r\n## Sunday\r\nClosed.", now_ms=NOW, text_id="hours"
    )

    found = documents.read("text:hours")

    assert found.title == "Opening hours"
    assert found.kind == "text"
    assert list(found.sections) == [Section("", "All week."), Section("Sunday", "Closed.")]
    assert found.is_pinned
    assert found.learnt_at == NOW
    assert len(documents.list(limit=10).documents) == 1


def test_texts_without_an_id_get_one_each(documents: Documents) -> None:
    keys = {documents.put_text("Same", "Same", now_ms=NOW).key for _ in range(3)}

    assert len(keys) == 3


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 301}, "title"),
        ({"text": "\n"}, "text"),
        ({"text": "x" * (MAX_TEXT_CHARS + 1)}, "text"),
        ({"text_id": "Not an id"}, "id"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "https://a b"}, "url"),
    ],
)
def test_text_that_cannot_be_known_is_refused_by_field(
    documents: Documents, fields: dict[str, str], field: str
) -> None:
    given = {"title": "Hours", "text": "Nine to five.", **fields}

    with pytest.raises(InvalidRequest) as refused:
        documents.put_text(given.pop("title"), given.pop("text"), now_ms=NOW, **given)  # type: ignore[arg-type]

    assert set(refused.value.details or {}) == {field}


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("Plain", [("", "Plain")]),
        ("# A\none\n# B\ntwo", [("A", "one"), ("B", "two")]),
        ("before\n### C ###\nthree", [("", "before"), ("C", "three")]),
        ("# Only a heading", [("", "# Only a heading")]),
        ("#hashtag", [("", "#hashtag")]),
    ],
)
def test_headings_cut_a_text(text: str, sections: list[tuple[str, str]]) -> None:
    assert [(each.heading, each.text) for each in split_sections(text)] == sections
