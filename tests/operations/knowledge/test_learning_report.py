"""What the learner told, read back."""

import json

import pytest

from app.operations.knowledge.learning_report import Entry, Flag, read_report
from app.storage.protocol import ConversationStore
from tests.knowledge_parts import ASSISTANT

NOW = 1_800_000_000_000
TOLD = {
    "state": "learning",
    "phase": "reading",
    "startedAt": NOW - 5000,
    "updatedAt": NOW,
    "current": "https://shop.example/",
    "done": 9,
    "total": 40,
    "counts": {"learned": 7, "skipped": 2},
    "notes": ["Time was over"],
    "flagged": [{"key": "https://shop.example/x", "why": "speaks to models", "text": "..."}],
    "sources": [],
    "entries": [{"url": "https://shop.example/tag", "state": "skipped", "reason": "noindex"}],
    "leftOut": 3,
}


def test_report_is_read_as_it_was_told(store: ConversationStore) -> None:
    store.documents.put_report(ASSISTANT, json.dumps(TOLD))

    report = read_report(store.documents, ASSISTANT)

    assert report is not None
    assert (report.state, report.done, report.total, report.left_out) == ("learning", 9, 40, 3)
    assert report.counts == {"learned": 7, "skipped": 2}
    assert report.entries == (Entry("https://shop.example/tag", "skipped", "noindex"),)
    assert report.flags == (Flag("https://shop.example/x", "speaks to models"),)
    assert report.raw == TOLD


@pytest.mark.parametrize("text", ["", "[]", "{}", "no JSON", '{"state":"done","updatedAt":null}'])
def test_what_is_no_report_is_none(store: ConversationStore, text: str) -> None:
    store.documents.put_report(ASSISTANT, text)

    assert read_report(store.documents, ASSISTANT) is None


@pytest.mark.parametrize(
    ("state", "later_ms", "is_running"),
    [("learning", 0, True), ("learning", 120_000, False), ("done", 0, False)],
)
def test_who_fell_silent_learns_no_longer(
    store: ConversationStore, state: str, later_ms: int, is_running: bool
) -> None:
    store.documents.put_report(ASSISTANT, json.dumps({**TOLD, "state": state}))

    report = read_report(store.documents, ASSISTANT)

    assert report is not None
    assert report.is_running(NOW + later_ms) is is_running
