"""Numbers and times as the operator reads them: the templates' filters."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from flask import Blueprint
from markupsafe import Markup

from app.statistics import utc_now
from app.web.markup import to_html

_UNITS = ((60, "min"), (3600, "h"), (86_400, "d"))
_MARKS = re.compile(r"\*\*|`+|^#{1,6} |^> ", re.MULTILINE)
_CELLS = re.compile(r"\|[-:| ]*")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_JUST_NOW_S = 60
# Of a message, what a preview is made of: a line on the page shows less.
_PREVIEW_CHARS = 500
_THOUSANDS = ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k"))


def register(blueprint: Blueprint) -> None:
    """Make the filters known to every template."""
    for name, function in (
        ("time", to_time),
        ("clock", to_clock),
        ("ago", to_ago),
        ("count", to_count),
        ("short", to_short),
        ("seconds", to_seconds),
        ("money", to_money),
        ("share", to_share),
        ("listing", to_listing),
        ("preview", to_preview),
        ("markdown", to_html),
    ):
        blueprint.add_app_template_filter(function, name)


def to_time(ms: int) -> Markup:
    """Return a moment as a ``time`` element in UTC; a script makes it local."""
    return _time(ms, f"{_utc(ms):%d %b %Y, %H:%M} UTC", "moment")


def to_clock(ms: int) -> Markup:
    """Return the time of day, as a ``time`` element."""
    return _time(ms, f"{_utc(ms):%H:%M} UTC", "clock")


def to_ago(ms: int) -> Markup:
    """Return how long ago a moment was."""
    age_s = max(0, utc_now().timestamp() - ms / 1000)
    if age_s < _JUST_NOW_S:
        text = "just now"
    elif age_s < 7 * 86_400:
        unit_s, unit = next(each for each in reversed(_UNITS) if age_s >= each[0])
        text = f"{int(age_s // unit_s)} {unit} ago"
    else:
        text = f"{_utc(ms):%d %b %Y}"
    return _time(ms, text, "ago")


def to_count(number: int) -> str:
    """Return a whole number with its thousands apart."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def to_short(number: int) -> str:
    """Return a number in four characters or so: ``12.3k``."""
    for size, letter in _THOUSANDS:
        if number >= size:
            value = number / size
            return f"{value:.0f}{letter}" if value >= 100 else f"{value:.3g}{letter}"
    return str(number)


def to_seconds(ms: int | None) -> str:
    """Return a latency."""
    if ms is None:
        return "–"
    return f"{ms} ms" if ms < 1000 else f"{ms / 1000:.3g} s"


def to_money(amount: Decimal | None) -> str:
    """Return an amount with as many digits as say something."""
    if amount is None:
        return "–"
    if not amount or amount >= 1:
        return f"{amount:,.2f}"
    return f"{amount:.4f}" if amount >= Decimal("0.0001") else "< 0.0001"


def to_share(part: int, whole: int) -> str:
    """Return a part in per cent."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.1f} %"


def to_listing(names: Sequence[str]) -> str:
    """Return names as a list to read."""
    return ", ".join(names)


def to_preview(text: str | None) -> str:
    """Return a message's first words in one line, without the marks of Markdown."""
    plain = _CELLS.sub(" ", _LINK.sub(r"\1", _MARKS.sub("", (text or "")[:_PREVIEW_CHARS])))
    return " ".join(plain.split())


def _utc(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _time(ms: int, text: str, form: str) -> Markup:
    moment = f"{_utc(ms):%Y-%m-%dT%H:%M:%SZ}"
    title = f"{_utc(ms):%d %b %Y, %H:%M:%S} UTC"
    return Markup('<time datetime="{}" title="{}" data-form="{}">{}</time>').format(
        moment, title, form, text
    )
