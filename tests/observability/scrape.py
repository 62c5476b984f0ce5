"""What Prometheus is told, as numbers."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


def figures(text: str) -> dict[str, float]:
    """Return a scrape's samples: ``name{labels}`` → value."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}
