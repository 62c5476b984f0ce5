"""Whether a question asks for anything at all."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Literal

from app.knowledge.words import read_list, split_text, stopwords

Talk = Literal["greeting", "assent"]


def small_talk(question: str, languages: Sequence[str]) -> Talk | None:
    """Tell greetings and thanks, and a bare yes or no, from a question.

    English counts on every site. "Yes" may be the answer to an offer, and then goes on
    with what was spoken of; thanks do not.
    """
    tokens = [token.casefold() for token in split_text(question)]
    greetings, assent, fillers = _patterns(tuple(dict.fromkeys([*languages, "en"])))
    if not all(re.fullmatch(f"(?:{greetings}|{assent}|{fillers})+", each) for each in tokens):
        return None
    if any(re.match(greetings, token) for token in tokens):
        return "greeting"
    return "assent" if any(re.match(assent, token) for token in tokens) else None


@cache
def _patterns(languages: tuple[str, ...]) -> tuple[str, str, str]:
    said = read_list("small_talk.txt")
    halves = [said[each].partition("|") for each in languages if each in said]
    return (
        _pattern(word for greetings, _, _ in halves for word in greetings.split()),
        _pattern(word for _, _, assent in halves for word in assent.split()),
        _pattern(word for each in languages for word in stopwords(each)),
    )


def _pattern(words: Iterable[str]) -> str:
    """Match one of the words: a whole token, where its script has spaces."""
    longest = sorted({word.casefold() for word in words}, key=lambda word: (-len(word), word))
    pieces = (
        re.escape(w) if ord(w[0]) > 0x2E80 else rf"(?<!\w){re.escape(w)}(?!\w)" for w in longest
    )
    return "(?:" + "|".join(pieces) + ")"
