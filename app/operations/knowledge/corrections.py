"""The owner's own answers: word for word what a visitor gets who asks that very question."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.domain.errors import InvalidRequest, NotFound
from app.domain.knowledge import Document, Section, hash_of
from app.knowledge.words import question_key
from app.operations.knowledge.documents import take_line, take_text
from app.operations.knowledge.gaps import Gaps, question_id
from app.storage.document_store import DocumentStore

MAX_QUESTION_CHARS = 1000
MAX_ANSWER_CHARS = 8000
_PREFIX = "correction:"


@dataclass(frozen=True, slots=True)
class Correction:
    """A question and the owner's answer; ``id`` is the same for all questions of these words."""

    id: str
    question: str
    answer: str
    changed_at: int = 0


@dataclass(frozen=True, slots=True)
class CorrectionPage:
    """Corrections, and where the next ones begin."""

    corrections: Sequence[Correction]
    next_cursor: str | None = None


class Corrections:
    """The corrections of one assistant. What one answers leaves the list of the unanswered.

    ``changed`` is called after each change.
    """

    def __init__(
        self, store: DocumentStore, assistant: str, changed: Callable[[], object] = lambda: None
    ) -> None:
        self._store = store
        self._assistant = assistant
        self._changed = changed

    def list(self, *, limit: int, cursor: str | None = None) -> CorrectionPage:
        """Return corrections by id.

        Raises:
            InvalidRequest: the cursor is not one of the store's.
        """
        page = self._store.list_documents(self._assistant, limit=limit, cursor=cursor)
        found = [self._read(each.key) for each in page.documents if each.kind == "correction"]
        # Of all kinds of keys, theirs come first: behind another there is none.
        is_last = len(found) < len(page.documents)
        corrections = [to_correction(each) for each in found if each is not None]
        return CorrectionPage(corrections, None if is_last else page.next_cursor)

    def read(self, correction_id: str) -> Correction:
        """Return a correction.

        Raises:
            NotFound: there is none of this id.
        """
        found = self._read(f"{_PREFIX}{correction_id}")
        if found is None:
            raise NotFound("There is no such answer")
        return to_correction(found)

    def put(
        self, question: str, answer: str, *, now_ms: int, instead_of: str | None = None
    ) -> Correction:
        """Store an answer in place of the one to the same question, and of ``instead_of``.

        Raises:
            InvalidRequest: either is blank or too long, or the question has no words.
            NotFound: there is no correction ``instead_of``.
        """
        question = take_line(question, "question", MAX_QUESTION_CHARS)
        answer = take_text(answer, "answer", MAX_ANSWER_CHARS)
        if not question_key(question):
            rule = "Must have words by which it is known again."
            raise InvalidRequest("The question has no words", details={"question": [rule]})
        correction = Correction(question_id(question), question, answer, now_ms)
        if instead_of is not None:
            self.read(instead_of)
        self._store.put_documents(self._assistant, [self._to_document(correction)])
        if instead_of is not None and instead_of != correction.id:
            self._store.forget_documents(self._assistant, [f"{_PREFIX}{instead_of}"])
        Gaps(self._store, self._assistant).dismiss_if_any(correction.id)
        self._changed()
        return correction

    def delete(self, correction_id: str) -> None:
        """Delete a correction.

        Raises:
            NotFound: there is none of this id.
        """
        self.read(correction_id)
        self._store.forget_documents(self._assistant, [f"{_PREFIX}{correction_id}"])
        self._changed()

    def _read(self, key: str) -> Document | None:
        return self._store.read_document(self._assistant, key)

    def _to_document(self, correction: Correction) -> Document:
        sections = (Section("", correction.answer),)
        return Document(
            assistant=self._assistant,
            key=f"{_PREFIX}{correction.id}",
            kind="correction",
            title=correction.question,
            sections=sections,
            hash=hash_of(correction.question, sections),
            learnt_at=correction.changed_at,
        )


def to_correction(document: Document) -> Correction:
    """Return a document of the kind ``correction`` as one."""
    return Correction(
        id=document.key.removeprefix(_PREFIX),
        question=document.title,
        answer="\n\n".join(each.text for each in document.sections),
        changed_at=document.changed_at,
    )
