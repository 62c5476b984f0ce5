"""What became of each address, for the owner: counts, reasons, and what is being done now."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app.knowledge.learner.documents import Flag
from app.storage.document_store import MAX_REPORT_BYTES

State = Literal["read", "learned", "unchanged", "failed", "skipped", "forgotten"]
# What an owner must look at comes first, where not all have room.
_ORDER: tuple[State, ...] = ("failed", "skipped", "forgotten", "learned", "unchanged", "read")
_MAX_ENTRIES = 20_000
_MAX_FLAGS = 100
_MAX_NOTES = 50
_RUNNING_ENTRIES = 100
_MAX_REASON_CHARS = 300


@dataclass(frozen=True, slots=True)
class Source:
    """What the owner had learnt once, and a refresh looks at again.

    ``kind`` is ``site``, whose links are followed, or ``sitemap``, whose pages are all.
    """

    url: str
    kind: Literal["site", "sitemap"] = "site"
    only: Sequence[str] = ()
    excluded: Sequence[str] = ()


@dataclass(slots=True)
class Report:
    """A report in the making. ``state``: ``learning``, then ``done``, ``stopped`` or ``failed``.

    ``total`` is how many addresses are known so far, ``done`` how many were looked at.
    Times are ms since the Unix epoch.
    """

    started_at: int
    state: str = "learning"
    phase: str = "reading"
    updated_at: int = 0
    current: str | None = None
    done: int = 0
    total: int = 0
    scopes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    _entries: dict[str, tuple[State, str]] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)
    _unlisted: int = 0

    def set(self, url: str, state: State, reason: str = "") -> None:
        """Note what became of an address; what was noted before is replaced."""
        before = self._entries.get(url)
        if before is not None:
            self._counts[before[0]] -= 1
        elif len(self._entries) >= _MAX_ENTRIES:
            self._unlisted += 1
            self._counts[state] += 1
            return
        self._entries[url] = (state, reason[:_MAX_REASON_CHARS])
        self._counts[state] += 1

    def note(self, words: str) -> None:
        """Say something of the whole."""
        if words not in self.notes and len(self.notes) < _MAX_NOTES:
            self.notes.append(words)

    def flag(self, flags: Sequence[Flag]) -> None:
        """Note passages that were left out."""
        self.flags.extend(flags[: _MAX_FLAGS - len(self.flags)])

    @property
    def counts(self) -> Mapping[str, int]:
        """How many addresses are in each state."""
        return {state: self._counts[state] for state in _ORDER if self._counts[state]}

    @property
    def reasons(self) -> Mapping[tuple[str, str], int]:
        """How often each state has each reason, the commonest first."""
        found = Counter((state, reason) for state, reason in self._entries.values() if reason)
        return dict(found.most_common())

    def state_of(self, url: str) -> str | None:
        """Return what was noted of an address."""
        found = self._entries.get(url)
        return found[0] if found else None

    def to_json(self) -> str:
        """Return it as JSON, within the store's bounds; ``leftOut`` entries have no room."""
        head = self._head()
        room = MAX_REPORT_BYTES - len(_dump(head).encode()) - 100
        entries: list[dict[str, str]] = []
        listed = self._listed()
        for url, (state, reason) in listed:
            entry = {"url": url, "state": state, **({"reason": reason} if reason else {})}
            room -= len(_dump(entry).encode()) + 1
            if room < 0:
                break
            entries.append(entry)
        head["entries"] = entries
        head["leftOut"] = len(self._entries) + self._unlisted - len(entries)
        return _dump(head)

    def _listed(self) -> list[tuple[str, tuple[State, str]]]:
        if self.state == "learning":  # it is told every few seconds
            return list(self._entries.items())[-_RUNNING_ENTRIES:]
        return sorted(self._entries.items(), key=lambda each: _ORDER.index(each[1][0]))

    def _head(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "phase": self.phase,
            "startedAt": self.started_at,
            "updatedAt": self.updated_at,
            "current": self.current,
            "done": self.done,
            "total": self.total,
            "counts": self.counts,
            "scopes": self.scopes[:20],
            "notes": [each[:500] for each in self.notes],
            "flagged": [each._asdict() for each in self.flags],
            "sources": [
                {"url": it.url, "kind": it.kind, "only": list(it.only), "not": list(it.excluded)}
                for it in self.sources
            ],
        }


def sources_of(report: str | None) -> list[Source]:
    """Return what a stored report says was learnt; nothing of one that cannot be read."""
    try:
        return [
            Source(each["url"], each["kind"], tuple(each["only"]), tuple(each["not"]))
            for each in json.loads(report or "{}").get("sources", ())
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
