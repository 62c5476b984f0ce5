"""When a provider switches a model off: what is known of it, and what to tell the owner."""

import re
from datetime import date, timedelta
from urllib.parse import urlsplit

# OpenAI's deprecations page, read on 2026-11-25. What it lists later is told by `doctor`.
_OPENAI: dict[str, date] = {
    **dict.fromkeys(
        ("gpt-4.1-mini", "gpt-4.1", "gpt-4o", "gpt-4o-mini"),
        date(2027, 1, 14),
    ),
    **dict.fromkeys(("gpt-5", "gpt-5-mini", "gpt-5-nano", "o3"), date(2026, 12, 11)),
}
_REPLACEMENT = "gpt-6-luna"
_WARN = timedelta(days=90)
_snapshot = re.compile(r"-\d{4}-\d\d-\d\d$")


def known_shutdown(model: str, url: str) -> date | None:
    """Return when a model ends at this address, if that was known when this was written."""
    host = (urlsplit(url).hostname or "").lower()
    if host != "api.openai.com" and not host.endswith(".api.openai.com"):
        return None
    return _OPENAI.get(_snapshot.sub("", model.lower()))


def describe_shutdown(model: str, day: date | None, today: date) -> str | None:
    """Return a sentence for the owner of a model that ends within 90 days, or has ended."""
    if day is None or day - today > _WARN:
        return None
    if day <= today:
        return f"{model} was switched off by its provider on {day.isoformat()}"
    left = (day - today).days
    return (
        f"{model} is switched off by its provider on {day.isoformat()}, in {left} "
        f"day{'s' if left != 1 else ''}: then nobody is answered"
    )


def advise_shutdown() -> str:
    """Return what to do about it."""
    return (
        f"Set OPENAI_MODEL to its successor (OpenAI names {_REPLACEMENT}), and try it with "
        "make doctor."
    )
