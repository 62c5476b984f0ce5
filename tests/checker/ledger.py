"""What clients were told, and operators said; how the store may differ from it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

HOLDING = "A person will answer."
"""What those who wait for a person are told."""


NO_SOURCES = "null"


class Row(NamedTuple):
    """A stored message: ``at`` is when, in ms since the Unix epoch; ``sources`` as JSON."""

    role: str
    content: str
    status: str = ""
    event: str = ""
    at: int = 0
    sources: str = NO_SOURCES

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> Self:
        """Read a message of the admin API."""
        return cls(
            message["role"],
            message["content"],
            message.get("status", ""),
            message.get("event", ""),
            message["createdAt"],
            json.dumps(message.get("sources")),
        )


@dataclass
class Reading:
    """What one reader of an answer was told, from when to when, by the monotonic clock.

    ``answer`` is there after a ``done`` line; what was stopped ``is_cut``. Where ``is_held``,
    a person is to answer.
    """

    came_at: float
    left_at: float = 0.0
    seen: str = ""
    answer: str | None = None
    sources: str = NO_SOURCES
    is_cut: bool = False
    is_held: bool = False


@dataclass
class Asked:
    """One question, and what its readers know of it: it is ``stored`` after a ``start`` line.

    ``says`` is what the model answers. Left by all of them, it may be written for ``grace_s``.
    It was sent last at ``sent_at``: another answer may take the place of one that was cut.
    """

    content: str
    turn_id: str
    says: str = ""
    grace_s: float = 0.0
    stored: bool = False
    readings: list[Reading] = field(default_factory=list)
    attempts: int = 0
    sent_at: float = 0.0

    @property
    def is_held(self) -> bool:
        """Whether a person is to answer."""
        return any(each.is_held for each in self.readings)


class Happened(NamedTuple):
    """An event of a session as its visitor was told it: its number, its type, and words."""

    n: int
    type: str
    content: str


@dataclass
class Conversation:
    """Everything that one client asked, in order, and was told of what operators did."""

    session: str
    id: str | None = None
    asked: list[Asked] = field(default_factory=list)
    happened: list[Happened] = field(default_factory=list)


@dataclass
class Reply:
    """An operator's words, which are ``stored`` once that was acknowledged."""

    text: str
    key: str
    stored: bool = False


@dataclass
class Verdict:
    """How the store differs from what was acknowledged; every list should be empty.

    ``intruding`` are answers of the assistant where a person was to answer,
    ``outliving`` those that nobody read for longer than their grace and a second.
    """

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    misordered: list[str] = field(default_factory=list)
    intruding: list[str] = field(default_factory=list)
    outliving: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not any(vars(self).values())

    def __str__(self) -> str:
        return ", ".join(f"{name} {len(found)}" for name, found in vars(self).items())

    def details(self) -> list[str]:
        """Return each difference in words."""
        return [f"{name}: {each}" for name, found in vars(self).items() for each in found]
