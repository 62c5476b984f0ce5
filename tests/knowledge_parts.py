"""Documents, gaps and a knowledge for tests of what the owner does with them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain.conversation import Answer
from app.domain.knowledge import Document, Found, GapReason, Inquiry, Passage, Section, Source
from app.storage.protocol import ConversationStore
from tests.data import an_answer, say

ASSISTANT = "default"
PAGE = "https://shop.example/returns"


def a_document(**fields: object) -> Document:
    """A page as it was learnt."""
    document = Document(
        assistant=ASSISTANT,
        key=PAGE,
        kind="page",
        title="Returns",
        sections=(Section("How long", "You have 30 days."),),
        url=PAGE,
        language="en",
        hash="h1",
        learnt_at=1_700_000_000_000,
    )
    return replace(document, **fields)  # type: ignore[arg-type]


def put(store: ConversationStore, *documents: Document) -> None:
    store.documents.put_documents(ASSISTANT, documents)


def ask_in_vain(
    store: ConversationStore,
    question: str,
    reason: GapReason = "nothing_found",
    answer: str = "I could not find that.",
) -> None:
    """Store a turn whose answer bears a mark."""
    number = len(store.documents.list_gaps(ASSISTANT, limit=1000))
    given: Answer = an_answer(content=answer, gap=reason, sources=())
    say(store, f"vain-{number}", f"turn-vain-{number:04}", given, content=question)


def cite(store: ConversationStore, url: str, number: int = 0) -> None:
    """Store a turn whose answer cites a page."""
    given = an_answer(content="Thirty days [1].", sources=(Source(1, "Returns", url),))
    say(store, f"citing-{number}", f"turn-cite-{number:04}", given, content="How long?")


@dataclass
class FixedKnowledge:
    """A ``Knowledge`` that finds what it was given, and remembers what it was asked."""

    found: Found = field(
        default_factory=lambda: Found(
            passages=(
                Passage(
                    PAGE, "Returns", "How long", "You have 30 days.", 12, PAGE, 3.5, ("return",)
                ),
            ),
            coverage=0.75,
            version=4,
            duration_ms=1.5,
        )
    )
    asked: list[Inquiry] = field(default_factory=list)
    builds: int = 0

    def request_build(self) -> None:
        self.builds += 1

    def is_known(self) -> bool:
        return True

    def find(self, inquiry: Inquiry) -> Found:
        self.asked.append(inquiry)
        return self.found

    def close(self) -> None: ...


class EndedChild:
    """A process that has ended already."""

    def __init__(self, code: int = 0) -> None:
        self.code = code

    def wait(self) -> int:
        return self.code

    def last_words(self) -> str:
        return "Error: it was too much"


class Spawned:
    """A ``Spawn`` that starts nothing, and remembers what it should have started."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.words: list[Sequence[str]] = []
        self.files: dict[str, bytes] = {}

    def __call__(self, words: Sequence[str]) -> Any:
        from pathlib import Path

        self.words.append(list(words))
        for word in words:
            if Path(word).is_absolute() and Path(word).is_file():
                self.files[Path(word).name] = Path(word).read_bytes()
        return EndedChild(self.code)


def let_know(app: Any, knowledge: Any = None, spawn: Any = None) -> None:
    """Give the default assistant of an application a knowledge, and it a starter of learners."""
    from app.assistants import Assistants

    services = app.extensions["perch"]
    assistants = [
        replace(each, knowledge=knowledge) if each.id == ASSISTANT else each
        for each in services.assistants
    ]
    changed: dict[str, Any] = {"assistants": Assistants(assistants)}
    if spawn is not None:
        changed["spawn"] = spawn
    app.extensions["perch"] = replace(services, **changed)
