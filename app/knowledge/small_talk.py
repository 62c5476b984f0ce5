"""Whether a question asks for anything at all."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Literal

from app.knowledge.words import read_list, split_text, stopwords

Talk = Literal["greeting", "assent"]

# Nobody greets for longer.
_MAX_CHARS = 200


def small_talk(question: str, languages: Sequence[str]) -> Talk | None:
    """Tell greetings and thanks, and a bare yes or no, from a question.

    English counts on every site. "Yes" may be the answer to an offer, and then goes on
    with what was spoken of; thanks do not.
    """
    if len(question) > _MAX_CHARS:
        return None
    tokens = [token.casefold() for token in split_text(question)]
    greetings, assent, any_of_them = _patterns(tuple(dict.fromkeys([*languages, "en"])))
    if not all(any_of_them.fullmatch(each) for each in tokens):
        return None
    if any(greetings.match(token) for token in tokens):
        return "greeting"
    return "assent" if any(assent.match(token) for token in tokens) else None


@cache
def _patterns(languages: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    said = read_list("small_talk.txt")
    halves = [said[each].partition("|") for each in languages if each in said]
    greetings = [word for words, _, _ in halves for word in words.split()]
    assent = [word for _, _, words in halves for word in words.split()]
    fillers = [word for each in languages for word in stopwords(each)]
    # Possessive: words that hold other words would be tried in every way, which doubles the
    # time with each of them.
    whole = f"{_pattern([*greetings, *assent, *fillers])}++"
    return tuple(map(re.compile, (_pattern(greetings), _pattern(assent), whole)))


def _pattern(words: Iterable[str]) -> str:
    """Match one of the words, the longest first: a whole token, where its script has spaces."""
    longest = sorted({word.casefold() for word in words}, key=lambda word: (-len(word), word))
    pieces = (
        re.escape(w) if ord(w[0]) > 0x2E80 else rf"(?<!\w){re.escape(w)}(?!\w)" for w in longest
    )
    return "(?:" + "|".join(pieces) + ")"
