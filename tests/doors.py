"""Every way to ask: the same question at the door of each protocol."""

from dataclasses import replace
from typing import Any

from bench.dialects import DIALECTS, OTHERS

DOORS = {
    "json": replace(DIALECTS["ndjson"], path="/v1/chat"),
    **{name: DIALECTS[name] for name in ("ndjson", *OTHERS)},
}
"""By the name that metrics give to the protocol."""


def code_of(problem: dict[str, Any]) -> str:
    """Return the code of a failure, in whichever shape it is told."""
    error = problem["error"]
    return str(error["code"] if isinstance(error, dict) else problem["code"])
