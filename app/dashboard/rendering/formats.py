"""Numbers and times as the operator reads them: the templates' filters."""

import re
from collections.abc import Sequence, Set
from datetime import UTC, datetime
from decimal import Decimal

from flask import Blueprint
from markupsafe import Markup

from app.dashboard.operator_zone import to_local, zone_name
from app.dashboard.rendering.highlights import highlight
from app.dashboard.rendering.markdown_html import host_of
from app.dashboard.rendering.markup import to_html, to_plain
from app.domain.conversation import Conversation, Message
from app.operations.statistics import utc_now
from app.web.guards.tokens import SESSION_PREFIX

_UNITS = ((60, "min"), (3600, "h"), (86_400, "d"))
# What a preview leaves out of a line, in this order. None looks further than a few words,
# or than the marks at which it stands.
_MARKS = (
    (re.compile(r"^ *(?:`{3,}|~{3,})[^`]*$"), ""),
    (re.compile(r"^ *(?:#{1,6} |> ?|[-*+] )"), ""),
    (re.compile(r"!?\[([^\]]{0,200})\]\([^)]{0,200}\)"), r"\1"),
    (re.compile(r"`+|~~|\*\*|(?<!\w)__(?=\w)|(?<=\w)__(?!\w)"), ""),
    (re.compile(r"(?<![\w*])([*_])(?=\S)([^*_]{1,80})(?<=\S)\1(?![\w*])"), r"\2"),
)
_RULE_OF_TABLE = frozenset(" :|-")
_SHORT_NAME_CHARS = 16
_REASONS = {
    "internal_error": "a fault of this program: the log has its traceback",
    "budget_exhausted": "the day's budget was spent",
    "daily_limit_reached": "the visitor's share of the day was spent",
    "lease_expired": "the worker ended, or lost the store, before the answer did",
    "model_error": "the model could not answer",
    "model_interrupted": "the answer broke off before the model said that it was whole",
    "model_misconfigured": "the model's provider refuses the key, the quota or the model's name",
    "model_paused": "the model had failed again and again, and was left alone",
    "model_rate_limited": "the model's provider asked for fewer requests",
    "model_refused": "the model's provider refuses this message",
    "model_timeout": "the model was silent for too long, or the turn took too long",
    "model_unavailable": "the model could not be reached, or answered with a fault of its own",
    "server_restarting": "the server was restarted",
}
_THIN = "\N{NARROW NO-BREAK SPACE}"
_LEAST_SHOWN = Decimal("0.0001")
_JUST_NOW_S = 60
# Of a message, what a preview is made of: a line on the page shows less.
_PREVIEW_CHARS = 500
_THOUSANDS = ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k"))


def register(blueprint: Blueprint) -> None:
    """Make the filters known to every template."""
    for name, function in (
        ("time", to_time),
        ("ago", to_ago),
        ("count", to_count),
        ("short", to_short),
        ("seconds", to_seconds),
        ("money", to_money),
        ("share", to_share),
        ("listing", to_listing),
        ("preview", to_preview),
        ("line", to_line),
        ("name", to_name),
        ("reason", to_reason),
        ("highlight", highlight),
        ("markdown", to_html),
        ("hosts", to_hosts),
        ("plain", to_plain),
    ):
        blueprint.add_app_template_filter(function, name)


def to_hosts(answer: Message, conversation: Conversation) -> Set[str] | None:
    """Return the hosts that an answer may link to, ``None`` for all.

    What one that pages were looked into for was told to link may be an attacker's.
    """
    if answer.sources is None:
        return None
    page = conversation.page.url if conversation.page else None
    urls = [page, *(each.url for each in answer.sources)]
    return {host_of(url) for url in urls if url} - {""}


def to_time(ms: int) -> Markup:
    """Return a moment as a ``time`` element, by the operator's clock."""
    return _time(ms, f"{_local(ms):%d %b %Y, %H:%M}{_mark_of_utc()}")


def to_ago(ms: int) -> Markup:
    """Return how long ago a moment was."""
    age_s = max(0, utc_now().timestamp() - ms / 1000)
    if age_s < _JUST_NOW_S:
        text = "just now"
    elif age_s < 7 * 86_400:
        unit_s, unit = next(each for each in reversed(_UNITS) if age_s >= each[0])
        text = f"{int(age_s // unit_s)} {unit} ago"
    else:
        text = f"{_local(ms):%d %b %Y}"
    return _time(ms, text)


def to_count(number: int) -> str:
    """Return a whole number with its thousands apart."""
    return f"{number:,}".replace(",", _THIN)


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


def to_money(amount: Decimal | None, currency: str = "") -> str:
    """Return an amount with as many digits as say something."""
    if amount is None:
        return "–"
    if not amount or amount >= 1:
        return _in_currency(f"{amount:,.2f}".replace(",", _THIN), currency)
    if amount < _LEAST_SHOWN:
        return f"< {_in_currency(str(_LEAST_SHOWN), currency)}"
    return _in_currency(f"{amount:.4f}", currency)


def _in_currency(digits: str, currency: str) -> str:
    # A sign stands before, a code behind.
    return f"{digits}{_THIN}{currency}" if currency.isalpha() else f"{currency}{digits}"


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
    lines = [_to_plain(line) for line in (text or "")[:_PREVIEW_CHARS].splitlines()]
    return to_line("\n".join(lines)).rstrip(";")


def to_line(text: str | None) -> str:
    """Return a text in one line."""
    return " ".join((text or "").split())


def to_name(session_id: str) -> str:
    """Return a session's id, or of a long one a name that is short enough to be told apart."""
    if len(session_id) <= _SHORT_NAME_CHARS:
        return session_id
    told = session_id.removeprefix(SESSION_PREFIX)
    return f"Visitor {told[:6]}"


def to_reason(code: str) -> str:
    """Return in words why a turn failed."""
    return _REASONS.get(code, code.replace("_", " "))


def _to_plain(line: str) -> str:
    if "|" in line and "-" in line and _RULE_OF_TABLE.issuperset(line):
        return ""
    for mark, instead in _MARKS:
        line = mark.sub(instead, line)
    cells = line.strip()
    if len(cells) > 1 and cells[0] == cells[-1] == "|":
        return ", ".join(cell.strip() for cell in cells[1:-1].split("|")) + ";"
    return line


def _local(ms: int) -> datetime:
    return to_local(datetime.fromtimestamp(ms / 1000, UTC))


def _mark_of_utc() -> str:
    return " UTC" if zone_name() == "UTC" else ""


def _time(ms: int, text: str) -> Markup:
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    title = f"{to_local(moment):%d %b %Y, %H:%M:%S} ({zone_name()})"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        f"{moment:%Y-%m-%dT%H:%M:%SZ}", title, text
    )
