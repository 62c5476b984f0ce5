"""The owner's own answers."""

import pytest

from app.domain.errors import InvalidRequest, NotFound
from app.operations.knowledge.corrections import Corrections
from app.storage.protocol import ConversationStore
from tests.knowledge_parts import ASSISTANT, a_document, ask_in_vain, put

NOW = 1_800_000_000_000


@pytest.fixture
def corrections(store: ConversationStore) -> Corrections:
    return Corrections(store.documents, ASSISTANT)


def test_equal_questions_never_make_two(corrections: Corrections) -> None:
    first = corrections.put("What are your hours?", "Nine to five.", now_ms=NOW)
    second = corrections.put("your HOURS, what are", "Ten to six.", now_ms=NOW)

    found = corrections.list(limit=10).corrections

    assert first.id == second.id
    assert [(each.question, each.answer) for each in found] == [
        ("your HOURS, what are", "Ten to six.")
    ]


def test_answer_is_a_document_of_one_section(
    store: ConversationStore, corrections: Corrections
) -> None:
    correction = corrections.put("你们几点开门？", "九点。", now_ms=NOW)

    document = store.documents.read_document(ASSISTANT, f"correction:{correction.id}")

    assert document is not None
    assert (document.kind, document.title) == ("correction", "你们几点开门？")
    assert [each.text for each in document.sections] == ["九点。"]


def test_changed_question_takes_the_place_of_the_one_before(corrections: Corrections) -> None:
    before = corrections.put("Opening hours?", "Nine.", now_ms=NOW)
    after = corrections.put("When do you open?", "Nine.", now_ms=NOW, instead_of=before.id)

    assert [each.id for each in corrections.list(limit=10).corrections] == [after.id]


def test_answered_question_is_unanswered_no_longer(
    store: ConversationStore, corrections: Corrections
) -> None:
    ask_in_vain(store, "Do you ship to Japan?")
    ask_in_vain(store, "do you ship to japan")
    ask_in_vain(store, "Do you gift-wrap?")

    corrections.put("Do you ship to Japan?", "Yes.", now_ms=NOW)

    left = store.documents.list_gaps(ASSISTANT, limit=10)
    assert [each.question for each in left] == ["Do you gift-wrap?"]


def test_pages_of_the_list_end_before_documents_of_other_kinds(
    store: ConversationStore, corrections: Corrections
) -> None:
    put(store, a_document())
    for number in range(5):
        corrections.put(f"Question {number}", "Yes.", now_ms=NOW)

    cursor, sizes, questions = None, [], set()
    while True:
        page = corrections.list(limit=2, cursor=cursor)
        sizes.append(len(page.corrections))
        questions |= {each.question for each in page.corrections}
        cursor = page.next_cursor
        if cursor is None:
            break

    assert sizes == [2, 2, 1]
    assert len(questions) == 5


def test_deleted_answer_is_gone(corrections: Corrections) -> None:
    correction = corrections.put("Hours?", "Nine.", now_ms=NOW)

    corrections.delete(correction.id)

    assert corrections.list(limit=10).corrections == []
    for call in (corrections.read, corrections.delete):
        with pytest.raises(NotFound):
            call(correction.id)


def test_answer_in_place_of_one_that_is_not_there_is_refused(corrections: Corrections) -> None:
    with pytest.raises(NotFound):
        corrections.put("Hours?", "Nine.", now_ms=NOW, instead_of="nothing")

    assert corrections.list(limit=10).corrections == []


@pytest.mark.parametrize(
    ("question", "answer", "field"),
    [
        (" ", "Nine.", "question"),
        ("?!", "Nine.", "question"),
        ("x" * 1001, "Nine.", "question"),
        ("Hours?", "\n", "answer"),
        ("Hours?", "x" * 8001, "answer"),
    ],
)
def test_what_is_no_answer_is_refused_by_field(
    corrections: Corrections, question: str, answer: str, field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        corrections.put(question, answer, now_ms=NOW)

    assert set(refused.value.details or {}) == {field}
