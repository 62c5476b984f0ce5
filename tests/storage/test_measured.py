"""A store whose calls are timed."""

import pytest

from app.domain.errors import ConversationNotFound, StorageUnavailable
from app.storage.document_store import DocumentStore
from app.storage.measured import MeasuredStore
from app.storage.people_store import PeopleStore
from app.storage.protocol import ConversationStore


class Notes:
    def __init__(self) -> None:
        self.calls: list[tuple[str, bool]] = []

    def __call__(self, call: str, seconds: float, *, failed: bool) -> None:
        assert seconds >= 0
        self.calls.append((call, failed))


class Away:
    """A store that cannot be reached."""

    @property
    def documents(self) -> "Away":
        return self

    @property
    def people(self) -> "Away":
        return self

    def __getattr__(self, name: str) -> object:
        def call(*_args: object, **_kwargs: object) -> None:
            raise StorageUnavailable

        return call


def test_every_call_is_told(store: ConversationStore) -> None:
    notes = Notes()
    timed = MeasuredStore(store, notes)

    timed.ping()
    timed.list_conversations(limit=1)
    timed.documents.read_report("default")

    assert notes.calls == [("ping", False), ("list_conversations", False), ("read_report", False)]


def test_only_the_stores_own_trouble_counts_as_failed(store: ConversationStore) -> None:
    notes = Notes()

    with pytest.raises(ConversationNotFound):
        MeasuredStore(store, notes).read_thread("nobody's")
    with pytest.raises(StorageUnavailable):
        MeasuredStore(Away(), notes).ping()  # type: ignore[arg-type]

    assert notes.calls == [("read_thread", False), ("ping", True)]


def test_no_call_of_the_protocols_is_left_out(store: ConversationStore) -> None:
    timed = MeasuredStore(store, Notes())

    for port, measured in (
        (ConversationStore, timed),
        (DocumentStore, timed.documents),
        (PeopleStore, timed.people),
    ):
        calls = {name for name in vars(port) if not name.startswith("_")} - {"documents", "people"}
        assert {name for name in calls if getattr(measured, name).__name__ != "timed"} == set()
