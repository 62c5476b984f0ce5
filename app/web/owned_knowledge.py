"""One assistant's knowledge, as its owner works on it in the dashboard, by scripts and commands."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from flask import has_request_context

from app.assistants import Assistant
from app.domain.clock import now_ms
from app.domain.errors import NotFound
from app.domain.knowledge import Inquiry
from app.operations.knowledge.corrections import Corrections
from app.operations.knowledge.documents import Documents
from app.operations.knowledge.gaps import Gaps
from app.operations.knowledge.learning import Learning
from app.operations.knowledge.learning_report import LearningReport, read_report
from app.operations.knowledge.trial import Trial, try_question
from app.storage.document_store import DocumentStore
from app.web.services import services

_CITED_DAYS = 30
_DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class OwnedKnowledge:
    """What the owner does with one assistant's knowledge; see each of its parts."""

    assistant: Assistant
    store: DocumentStore
    documents: Documents
    corrections: Corrections
    gaps: Gaps
    learning: Learning

    def report(self) -> LearningReport | None:
        """Return how learning goes, or went."""
        return read_report(self.store, self.assistant.id)

    def try_question(self, inquiry: Inquiry) -> Trial:
        """Return what the chat would make of a question."""
        return try_question(self.assistant.knowledge, self.assistant.settings.knowledge, inquiry)

    def count_citations(self) -> Mapping[str, int]:
        """Return how often each page was cited within 30 days, or title without an address."""
        since = now_ms() - _CITED_DAYS * _DAY_MS
        counts: Counter[str] = Counter()
        for name, count in self.store.count_citations(self.assistant.id, since).items():
            page, _, _ = name.partition("#" if "://" in name else " › ")
            counts[page] += count
        return counts


def knowledge_of(assistant_id: str) -> OwnedKnowledge:
    """Return the knowledge of an assistant.

    Raises:
        NotFound: there is no such assistant.
    """
    assistant = services().assistants.get(assistant_id)
    if assistant is None:
        raise NotFound("There is no such assistant")
    store = services().store.documents

    def changed() -> None:
        # Built at once, or the first question after a change would still be answered without it.
        # Commands build the index themselves, or leave that to the next question.
        if assistant.knowledge and has_request_context():
            assistant.knowledge.request_build()

    return OwnedKnowledge(
        assistant,
        store,
        Documents(store, assistant_id, changed),
        Corrections(store, assistant_id, changed),
        Gaps(store, assistant_id),
        Learning(
            store,
            assistant_id,
            services().settings.knowledge_path,
            now_ms=now_ms,
            spawn=services().spawn,
        ),
    )
