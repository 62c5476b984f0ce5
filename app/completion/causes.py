"""Why a turn failed, in one line that an owner may read: no visitor's words, no key.

Providers quote the request that they refuse, and the key that came with it.
What a message has in common with what was sent is therefore cut out of it,
before anything else looks at it.
"""

import re
from collections.abc import Sequence

from app.errors import ProviderError

# A stretch that is shorter than this is common to any two texts.
_STRETCH_CHARS = 12
# A whole message of a visitor is hidden from this length on.
_MIN_TEXT_CHARS = 4
_MAX_CHARS = 200
# What is looked at, so that a refusal costs little time: it is cut to `_MAX_CHARS` afterwards.
_MAX_LOOKED_AT_CHARS = 600
_HIDDEN = "…"

_KEYS = re.compile(
    r"\b(?:bearer|basic)\s+[^\s\"',;]+"
    r"|\b(?:sk|pk|rk)[-_][\w*.-]{3,}|\b(?:gsk|xai|hf|key|r8|nvapi|pplx|csk|fw|ghp)[-_][\w*.-]{8,}"
    r"|\b(?:AIza|AKIA|eyJ)[\w*.-]{8,}"
    r"|\b(?:api[-_ ]?key|token|secret|password|authorization)[\"']?\s*[:=]\s*[\"']?[^\s\"',;]{6,}"
    r"|(?<=://)[^/\s@]+@"
    # Anything else that no person writes: long, with letters and digits.
    r"|(?<![\w*])(?=[A-Za-z_*]*\d)(?=\d*[A-Za-z*])[\w*]{20,}",
    re.IGNORECASE | re.ASCII,
)
_BETWEEN = re.compile(r"[\W_]+")
_ESCAPES = re.compile(r"\\u([0-9a-fA-F]{4})|\\[nrtbf]|\\([\"\\/])")


class Redaction:
    """Cuts out of a text what it has in common with ``texts``, and anything like a key.

    Case, blanks, punctuation and the escapes of JSON make no difference.
    """

    __slots__ = ("_secrets", "_texts")

    def __init__(self, texts: Sequence[str] = (), secrets: Sequence[str] = ()) -> None:
        self._texts = texts
        self._secrets = tuple(secret for secret in secrets if secret)

    def __call__(self, text: str) -> str:
        """Return the text on one line, with ``…`` for what was cut out of it."""
        text = " ".join(_ESCAPES.sub(_unescape, text[:_MAX_LOOKED_AT_CHARS]).split())
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        text = _hide(_KEYS.sub(_HIDDEN, text), self._texts)
        return "".join(char if char.isprintable() else " " for char in text)

    def keep_last(self) -> None:
        """Let go of all texts but the last: a prompt is long, and an answer may take a while."""
        self._texts = self._texts[-1:]


def describe(error: ProviderError) -> str:
    """Return one bounded line about an error whose texts are redacted already."""
    words = [str(error.status)] if error.status else []
    words += [word for word in (error.code, error.type) if word and word not in words]
    if error.param:
        words.append(f"param {error.param}")
    if error.loc:
        words.append(f"at {'.'.join(error.loc)}")
    if error.location:
        words.append(f"redirects to {error.location}: set OPENAI_BASE_URL to where that leads")
    said = shorten(error.message)
    return ": ".join(filter(None, (", ".join(words), said)))


def shorten(text: str) -> str:
    """Return a text that fits on a line."""
    return text if len(text) <= _MAX_CHARS else text[: _MAX_CHARS - 1] + _HIDDEN


def _unescape(escape: re.Match[str]) -> str:
    if escape[1]:
        char = chr(int(escape[1], 16))
        return " " if "\ud800" <= char <= "\udfff" else char
    return escape[2] or " "


def _hide(text: str, texts: Sequence[str]) -> str:
    plain, places = _plain(text)
    hidden = bytearray(len(text))
    for other in texts:
        other = _BETWEEN.sub(" ", other.casefold()).strip()
        if len(other) < _MIN_TEXT_CHARS:
            continue
        size = min(_STRETCH_CHARS, len(other))
        start = 0
        while start + size <= len(plain):
            if plain[start : start + size] not in other:
                start += 1
                continue
            end = start + size
            while end < len(plain) and plain[start : end + 1] in other:
                end += 1
            if size == _STRETCH_CHARS or _is_word(plain, start, end):
                first, last = places[start], places[end - 1]
                hidden[first : last + 1] = b"\x01" * (last + 1 - first)
            start = end
    return _replace(text, hidden)


def _is_word(plain: str, start: int, end: int) -> bool:
    around = plain[max(0, start - 1) : start] + plain[end : end + 1]
    return not any(char.isalnum() for char in around)


def _plain(text: str) -> tuple[str, list[int]]:
    """Return letters and digits in one case, a blank for anything between, and where each stood."""
    chars: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        if char.isalnum():
            folded = char.casefold()
        elif chars and chars[-1] != " ":
            folded = " "
        else:
            continue
        chars += folded
        places += [place] * len(folded)
    return "".join(chars), places


def _replace(text: str, hidden: bytearray) -> str:
    pieces: list[str] = []
    for place, char in enumerate(text):
        if not hidden[place]:
            pieces.append(char)
        elif not pieces or pieces[-1] != _HIDDEN:
            pieces.append(_HIDDEN)
    return "".join(pieces)
