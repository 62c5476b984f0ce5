"""How learning goes, or went, as the process that learns told the store last."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.storage.document_store import DocumentStore

# A learner that told nothing for so long was killed.
SILENT_MS = 120_000


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one address, and why."""

    url: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LearningReport:
    """A report; ``raw`` is all that the learner told."""

    state: str
    updated_at: int
    counts: Mapping[str, int] = field(default_factory=dict)
    current: str | None = None
    entries: Sequence[Entry] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """How many addresses were looked at."""
        return sum(self.counts.values())

    @property
    def total(self) -> int | None:
        """How many there are to look at, as far as is known."""
        return None

    @property
    def problem(self) -> str | None:
        """Why it ended before its end."""
        return None

    @property
    def shown_counts(self) -> Sequence[tuple[str, int]]:
        """What became of how many, without what became of none."""
        return [(name, number) for name, number in self.counts.items() if number]

    def is_running(self, now_ms: int) -> bool:
        """Tell whether somebody learns, as far as is known."""
        return self.state == "learning" and now_ms - self.updated_at < SILENT_MS


def read_report(store: DocumentStore, assistant: str) -> LearningReport | None:
    """Return the last report of an assistant, if there is one that can be read."""
    text = store.read_report(assistant)
    if not text:
        return None
    try:
        raw = json.loads(text)
    except ValueError:
        return None
    return LearningReport(
        state=str(raw.get("state", "")),
        updated_at=int(raw.get("updatedAt", 0)),
        counts=raw.get("counts", {}),
        current=raw.get("current"),
        entries=[
            Entry(each["url"], each["state"], each.get("reason", ""))
            for each in raw.get("entries", ())
        ],
        raw=raw,
    )
