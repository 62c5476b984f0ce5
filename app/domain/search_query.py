"""What an operator searches for: words, phrases in quotes, or an id."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

# More words than anybody types; those behind them are left out.
_MAX_TERMS = 8
_TERM = re.compile(r'"([^"]+)"|(\S+)')
_ID = re.compile(r"\S{1,256}")

_CHARS_BEFORE = 60
_CHARS_AFTER = 180


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """Texts that must all stand in one message; or, as ``id``, the name of something."""

    terms: tuple[str, ...]
    id: str | None = None


def parse_query(text: str) -> SearchQuery:
    """Read ``refund "exact steps"``; a quote without its partner is a sign like any other."""
    found = (phrase.strip() or word for phrase, word in _TERM.findall(text))
    terms = tuple(dict.fromkeys(term for term in found if term))
    whole = text.strip()
    return SearchQuery(terms[:_MAX_TERMS], whole if _ID.fullmatch(whole) else None)


def terms_pattern(terms: Sequence[str]) -> re.Pattern[str]:
    """Return what finds any of the terms, in any case, the longest first."""
    longest_first = sorted(terms, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)", re.IGNORECASE)


def cut_excerpt(content: str, terms: Sequence[str]) -> str:
    """Return the part of a message in which a term stands first."""
    folded = _fold(content)
    places = (folded.find(_fold(term)) for term in terms)
    at = min((place for place in places if place >= 0), default=0)
    begin, end = max(0, at - _CHARS_BEFORE), min(len(content), at + _CHARS_AFTER)
    return f"{'…' if begin else ''}{content[begin:end]}{'…' if end < len(content) else ''}"


def _fold(text: str) -> str:
    """Return a text in lower case, each character in its place."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(small if len(small := char.lower()) == 1 else char for char in text)
    return lower.replace("ς", "σ")  # the one letter whose lower case depends on what follows
