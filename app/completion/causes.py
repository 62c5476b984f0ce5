"""Why a turn failed, in one line that an owner may read: no visitor's words, no key.

Providers quote the request that they refuse, and the key that came with it.
What a message has in common with what was sent is therefore cut out of it,
before anything else looks at it.
"""

import html
import re
from collections.abc import Callable, Sequence
from itertools import accumulate
from urllib.parse import unquote

from app.domain.errors import ProviderError

# A stretch that is shorter than this is common to any two texts.
_STRETCH_CHARS = 12
# Of a key, of which some providers quote a part.
_KEY_STRETCH_CHARS = 8
# A whole message of a visitor, or a key, is hidden from this length on.
_MIN_TEXT_CHARS = 4
_MAX_CHARS = 200
# What is looked at, so that a refusal costs little time: it is cut to `_MAX_CHARS` afterwards.
_MAX_LOOKED_AT_CHARS = 600
_HIDDEN = "…"

_KEYS = re.compile(
    r"\b(?:bearer|basic)\s+[^\s\"',;]+"
    r"|\b(?:sk|pk|rk)[-_][\w*.-]{3,}|\b(?:gsk|xai|hf|key|r8|nvapi|pplx|csk|fw|ghp)[-_][\w*.-]{8,}"
    r"|\b(?:AIza|AKIA|eyJ)[\w*.-]{8,}"
    r"|\b(?:(?:api[-_ ]?)?key|token|secret|sig|password|authorization)[\"']?\s*[:=]\s*[\"']?"
    r"(?:(?:bearer|basic)\s+)?[^\s\"',;]{6,}"
    # One that is masked already.
    r"|[\w.-]*\*{3,}[\w*.-]*"
    r"|(?<=://)[^/\s@]+@"
    # Anything else that no person writes: long, with letters and digits.
    r"|(?<![\w*])(?=[A-Za-z_*]*\d)(?=\d*[A-Za-z*])[\w*]{20,}",
    re.IGNORECASE | re.ASCII,
)
_BETWEEN = re.compile(r"[\W_]+")
# Of another key that begins as ours does.
_REST_OF_KEY = re.compile(rf"{_HIDDEN}[\w*.{_HIDDEN}-]+")
# As JSON writes what is no plain character, and as Python does, in runs of one kind.
_ESCAPES = re.compile(
    r"((?:\\u[0-9a-fA-F]{4})+)|((?:\\x[0-9a-fA-F]{2})+)|\\U000([0-9a-fA-F]{5})"
    r"|\\[nrtbf]|\\([\"'\\/])"
)
_MAX_WRAPPINGS = 3
# Of a prompt, while its answer comes.
_MAX_KEPT_CHARS = 8000


class Redaction:
    """Cuts out of a text what it has in common with ``texts``, and anything like a key.

    Case, blanks, punctuation and the ways in which texts are quoted make no difference.
    """

    __slots__ = ("_is_partial", "_secrets", "_texts")

    def __init__(self, texts: Sequence[str] = (), secrets: Sequence[str] = ()) -> None:
        self._texts = texts
        self._secrets = tuple(secret for secret in secrets if secret)
        self._is_partial = False

    def __call__(self, text: str) -> str:
        """Return the text on one line, with ``…`` for what was cut out of it."""
        text = " ".join(_unquote(text[:_MAX_LOOKED_AT_CHARS]).split())
        if self._is_partial and " " in text:  # a sentence, which may quote what is not known here
            return _HIDDEN
        text = _hide(text, self._secrets, _KEY_STRETCH_CHARS)
        text = _REST_OF_KEY.sub(_HIDDEN, _KEYS.sub(_HIDDEN, text))
        text = _hide(text, self._texts, _STRETCH_CHARS)
        return "".join(char if char.isprintable() else " " for char in text)

    def keep_newest(self) -> None:
        """Let go of all but the newest texts: a prompt is long, and an answer may take a while.

        Where some are gone, no sentence is believed to quote none of them: all are hidden.
        """
        if sum(map(len, self._texts)) <= _MAX_KEPT_CHARS:
            return
        sizes = accumulate(len(text) for text in reversed(self._texts))
        count = max(1, sum(1 for size in sizes if size <= _MAX_KEPT_CHARS))
        self._is_partial = count < len(self._texts)
        self._texts = self._texts[-count:]


def describe(error: ProviderError, hide: Callable[[str], str]) -> str:
    """Return one bounded line about an error whose message and location are redacted already."""
    words = [str(error.status)] if error.status else []
    words += [hide(word) for word in (error.code, error.type) if word and word not in words]
    if error.param:
        words.append(f"param {hide(error.param)}")
    if error.loc:
        words.append(f"at {'.'.join(map(hide, error.loc))}")
    if error.location:
        words.append(f"redirects to {error.location}: set OPENAI_BASE_URL to where that leads")
    said = shorten(error.message)
    return ": ".join(filter(None, (", ".join(dict.fromkeys(words)), said)))


def shorten(text: str) -> str:
    """Return a text that fits on a line."""
    return text if len(text) <= _MAX_CHARS else text[: _MAX_CHARS - 1] + _HIDDEN


def _unquote(text: str) -> str:
    for _ in range(_MAX_WRAPPINGS):
        before, text = text, html.unescape(unquote(_ESCAPES.sub(_unescape, text)))
        if text == before:
            break
    return text


def _unescape(escape: re.Match[str]) -> str:
    units, octets, code, itself = escape.groups()
    if units:
        words = bytes.fromhex(units.replace("\\u", ""))
        return words.decode("utf-16-be", "replace")
    if octets:
        data = bytes.fromhex(octets.replace("\\x", ""))
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode("latin-1")
    if code:
        return chr(min(int(code, 16), 0x10FFFF))
    return itself or " "


def _hide(text: str, texts: Sequence[str], stretch: int) -> str:
    plain, places = _plain(text)
    hidden = bytearray(len(text))
    for other in texts:
        other = _BETWEEN.sub(" ", other.casefold()).strip()
        if len(other) < _MIN_TEXT_CHARS:
            continue
        size = min(stretch, len(other))
        start = 0
        while start + size <= len(plain):
            if plain[start : start + size] not in other:
                start += 1
                continue
            end = start + size
            while end < len(plain) and plain[start : end + 1] in other:
                end += 1
            if size == stretch or _is_word(plain, start, end):
                first, last = places[start], places[end - 1]
                hidden[first : last + 1] = b"\x01" * (last + 1 - first)
            # Where words repeat, the next match may begin within this one.
            start = end - size + 1
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
            folded = _BETWEEN.sub(" ", char.casefold())
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
