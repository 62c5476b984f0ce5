"""What is said over the sidecar's socket: lines of JSON, answered in any order.

A connection begins with ``{"hello": fingerprint}``, which has no answer: a sidecar of
other settings ends. Each request has an ``id``, which its answer repeats:

* ``{"do": "nearest", "index", "question", "k", "withinMs"}``, answered by ``nearest``
  (pairs of id and similarity), ``least``, ``greatest`` and ``share``, or by ``refused``
* ``{"do": "prepare", "index"}``, which has no answer
* ``{"do": "status"}``, answered by ``status``
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.domain.knowledge import Similarities

MAX_LINE_BYTES = 64 * 1024
MAX_QUESTION_CHARS = 4000
MAX_NEAREST = 500


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """How far an index file's passages are embedded; ``problem`` is a code."""

    name: str
    passages: int
    embedded: int
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class SidecarStatus:
    """What the sidecar is at. ``late`` questions took longer than their asker waits.

    ``refused`` are those to which it had nothing to say: too many at once, no vectors yet,
    or a model that failed.
    """

    model: str
    rss_bytes: int
    uptime_s: float
    answered: int
    late: int
    refused: int
    indexes: Sequence[IndexStatus] = ()

    @property
    def is_busy(self) -> bool:
        """Whether passages are still to be embedded."""
        return any(each.embedded < each.passages for each in self.indexes)


def to_line(fields: Mapping[str, Any]) -> bytes:
    """Write a line."""
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes) -> Mapping[str, Any]:
    """Read a line.

    Raises:
        ValueError: it is no JSON object.
    """
    fields = json.loads(line)
    if not isinstance(fields, dict):
        raise ValueError("not an object")
    return fields


def similarities_to_fields(found: Similarities) -> Mapping[str, Any]:
    """Return the fields of an answer."""
    return {
        "nearest": [(each, round(similarity, 5)) for each, similarity in found.nearest],
        "least": round(found.least, 5),
        "greatest": round(found.greatest, 5),
        "share": round(found.share, 4),
    }


def similarities_of(fields: Mapping[str, Any]) -> Similarities:
    """Read an answer's fields.

    Raises:
        KeyError, TypeError, ValueError: they are none.
    """
    return Similarities(
        tuple((int(each), float(similarity)) for each, similarity in fields["nearest"]),
        float(fields["least"]),
        float(fields["greatest"]),
        float(fields["share"]),
    )


def status_to_fields(status: SidecarStatus) -> Mapping[str, Any]:
    """Return the fields of an answer."""
    return {"status": asdict(status)}


def status_of(fields: Mapping[str, Any]) -> SidecarStatus:
    """Read an answer's fields.

    Raises:
        KeyError, TypeError: they are none.
    """
    told = fields["status"]
    return SidecarStatus(**{**told, "indexes": tuple(IndexStatus(**i) for i in told["indexes"])})
