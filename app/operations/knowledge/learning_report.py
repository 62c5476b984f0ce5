"""How learning goes, or went, as the process that learns told the store last."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.storage.document_store import DocumentStore

# As long as the lease of whoever learns: one that told nothing for longer is no more.
SILENT_MS = 120_000


class Entry(NamedTuple):
    """What became of one address, and why."""

    url: str
    state: str
    reason: str = ""


class Flag(NamedTuple):
    """A passage that was left out of a document, and why."""

    key: str
    why: str


@dataclass(frozen=True, slots=True)
class LearningReport:
    """A report; ``raw`` is all that the learner told.

    ``state`` is ``learning``, ``done``, ``stopped`` or ``failed``. ``total`` is how many
    addresses are known so far, ``done`` how many were looked at. ``left_out`` counts
    addresses that the entries have no room for. Times are ms since the Unix epoch.
    """

    state: str
    updated_at: int = 0
    done: int = 0
    total: int = 0
    current: str | None = None
    phase: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    flags: Sequence[Flag] = ()
    entries: Sequence[Entry] = ()
    left_out: int = 0
    raw: Mapping[str, Any] = field(default_factory=dict)

    def is_running(self, now_ms: int) -> bool:
        """Tell whether somebody learns, as far as is known."""
        return self.state == "learning" and now_ms - self.updated_at < SILENT_MS


def read_report(store: DocumentStore, assistant: str) -> LearningReport | None:
    """Return the last report of an assistant, if there is one that can be read."""
    text = store.read_report(assistant)
    try:
        return parse_report(text) if text else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def parse_report(text: str) -> LearningReport:
    """Return a report from its JSON.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is none.
    """
    raw = json.loads(text)
    return LearningReport(
        state=raw["state"],
        updated_at=int(raw["updatedAt"]),
        done=int(raw.get("done", 0)),
        total=int(raw.get("total", 0)),
        current=raw.get("current"),
        phase=raw.get("phase", ""),
        counts=dict(raw.get("counts", {})),
        notes=tuple(raw.get("notes", ())),
        flags=tuple(Flag(each["key"], each["why"]) for each in raw.get("flagged", ())),
        entries=tuple(
            Entry(each["url"], each["state"], each.get("reason", ""))
            for each in raw.get("entries", ())
        ),
        left_out=int(raw.get("leftOut", 0)),
        raw=raw,
    )
