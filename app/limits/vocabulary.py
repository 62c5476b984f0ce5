"""How many tokens a text is at most by one of OpenAI's tokenizers, of which half is known.

A tokenizer cuts a text into words by a pattern, and joins the bytes of each,
always the pair that it learnt first. Here it is done with the pairs that were learnt
first, and those alone: every step is one of the tokenizer's own, which then
joins more. So it never has more tokens than are counted here.
"""

import gzip
import re
import unicodedata
from heapq import heapify, heappop, heappush
from pathlib import Path

# In the place of every character stands one of its class, so that the patterns
# need none of Unicode's tables: a letter's for both cases, these for the others.
_LETTER, _MARK, _UNKNOWN, _OTHER = "\x01", "\x02", "\x03", "\x04"
_UPPER, _LOWER, _DIGIT, _SPACE = "A", "a", "0", "\t"
_OF_CATEGORY = {
    "Lu": _UPPER,
    "Lt": _UPPER,
    "Ll": _LOWER,
    "Lm": _LETTER,
    "Lo": _LETTER,
    "Mn": _MARK,
    "Mc": _MARK,
    "Me": _MARK,
    "Nd": _DIGIT,
    "Nl": _DIGIT,
    "No": _DIGIT,
    "Cn": _UNKNOWN,
    "Cs": _UNKNOWN,
}
_WHITE = "\t\x0b\x0c\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
# Characters that will be assigned here are no letters.
_FIRST_SYMBOL, _LAST_SYMBOL = 0x1F000, 0x1FAFF
_MAX_CLASSES = 20_000

_LETTERS = r"A-Za-z\x01"
_WORD = rf"[^\n{_LETTERS}0-9]?"
_UPPERS, _LOWERS = r"[A-Z\x01\x02]", r"[a-z\x01\x02]"
_SUFFIX = "(?:'(?:[sdmtSDMT]|[lL][lL]|[vV][eE]|[rR][eE]))"
_SIGNS = rf" ?[^ \t\n{_LETTERS}0-9]+"
_BLANKS = r"[ \t\n]*\n|[ \t\n]+(?![^ \t\n])|[ \t\n]+"
PATTERNS = {
    "o200k": (
        rf"{_WORD}{_UPPERS}*{_LOWERS}+{_SUFFIX}?|{_WORD}{_UPPERS}+{_LOWERS}*{_SUFFIX}?"
        rf"|[0-9]{{1,3}}|{_SIGNS}[\n/]*|{_BLANKS}"
    ),
    "cl100k": rf"{_SUFFIX}|{_WORD}[{_LETTERS}]+|[0-9]{{1,3}}|{_SIGNS}[\n]*|{_BLANKS}",
}

# Between the tokens of a file: no UTF-8 has this byte.
SEPARATOR = b"\xff"

# What is longer is no word of any language, and costs a token a byte unseen.
_MAX_WORD_BYTES = 512
# A part of a text that takes more tokens a byte is no prose: what follows is not worth
# the time to look at.
_PART_CHARS, _PART_WORDS = 1000, 150
_DEAR_ASCII, _DEAR = 0.6, 0.75
_MAX_LOOKED_AT = 32_000
_MAX_KEPT_WORDS = 20_000
_MAX_KEPT_CHARS = 24


class _Classes(dict[int, str]):
    """The class of a character, by its code."""

    def __missing__(self, code: int) -> str:
        kind = _OF_CATEGORY.get(unicodedata.category(chr(code)), _OTHER)
        if kind is _UNKNOWN and _FIRST_SYMBOL <= code <= _LAST_SYMBOL:
            kind = _OTHER
        if len(self) >= _MAX_CLASSES:
            self.clear()
            self.update(_ASCII_CLASSES)
        self[code] = kind
        return kind


_ASCII_CLASSES = {
    **{code: chr(code) if 32 <= code < 127 else _OTHER for code in range(128)},
    **{ord(char): _SPACE for char in _WHITE},
    ord("\n"): "\n",
    ord("\r"): "\n",
    # The long s is one, in capitals.
    0x17F: "s",
}
_classes = _Classes(_ASCII_CLASSES)


class Vocabulary:
    """The first tokens that a tokenizer learnt. What it saw lately costs it a look."""

    def __init__(self, name: str) -> None:
        data = gzip.decompress(Path(__file__).with_name(f"{name}.gz").read_bytes())
        tokens = data.split(SEPARATOR)
        self._ranks = dict(zip(tokens, range(len(tokens)), strict=True))
        self._pattern = re.compile(PATTERNS[name])
        self._words: dict[str, int] = {}
        # What stands between two spaces, or after the last.
        self._spaced: dict[str, int] = {}

    def count(self, text: str) -> int:
        """Return how many tokens a text is at most."""
        if len(text) > _MAX_LOOKED_AT:
            end = max(0, text.rfind(" ", 0, _MAX_LOOKED_AT))
            return self.count(text[:end]) + size(text[end:])
        if "  " in text:
            return self._count(text)
        # No word goes on over a space; most of what stands between two was seen lately.
        first, *others = text.split(" ")
        tokens = self._count(first)
        while others:
            part, others = others[:_PART_WORDS], others[_PART_WORDS:]
            cost = sum(map(self._count_spaced, part))
            tokens += cost
            if others and _is_dear(cost, " ".join(part)):
                return tokens + sum(map(size, others)) + len(others)
        return tokens

    def _count_spaced(self, part: str) -> int:
        tokens = self._spaced.get(part)
        if tokens is None:
            tokens = self._count(f" {part}")
            _keep(self._spaced, part, tokens)
        return tokens

    def _count(self, text: str) -> int:
        classes = text.translate(_classes)
        if _UNKNOWN in classes:
            # The tokenizer may know a letter where Python knows nothing.
            return size(text)
        words, tokens = self._words, 0
        begin = tokens_before = 0
        for match in self._pattern.finditer(classes):
            start, end = match.span()
            if start - begin >= _PART_CHARS:
                if _is_dear(tokens - tokens_before, text[begin:start]):
                    return tokens + size(text[start:])
                begin, tokens_before = start, tokens
            word = text[start:end]
            cost = words.get(word)
            tokens += self._word(word) if cost is None else cost
        return tokens

    def _word(self, word: str) -> int:
        data = word.encode("utf-8", "surrogatepass")
        tokens = 1 if data in self._ranks else self._joined(data)
        _keep(self._words, word, tokens)
        return tokens

    def _joined(self, data: bytes) -> int:
        """Return how many tokens are left when all known pairs of a word's bytes are joined."""
        length = len(data)
        if length > _MAX_WORD_BYTES:
            return length
        rank_of = self._ranks.get
        # Each token by its first byte: where the next begins, and the one before.
        after, before = list(range(1, length + 2)), list(range(-1, length))
        # Pairs by rank, then place: one number for rank, start and end.
        pairs = [
            (rank << 20) | (start << 10) | (start + 2)
            for start in range(length - 1)
            if (rank := rank_of(data[start : start + 2])) is not None
        ]
        heapify(pairs)
        tokens = length
        while pairs:
            pair = heappop(pairs)
            start, end = (pair >> 10) & 1023, pair & 1023
            middle = after[start]
            # One of the two was joined with another neighbour meanwhile.
            if middle > length or middle >= end or after[middle] != end:
                continue
            tokens -= 1
            after[start] = end
            after[middle] = length + 1
            if end < length:
                before[end] = start
                following = after[end]
                if (rank := rank_of(data[start:following])) is not None:
                    heappush(pairs, (rank << 20) | (start << 10) | following)
            first = before[start]
            if first >= 0 and (rank := rank_of(data[first:end])) is not None:
                heappush(pairs, (rank << 20) | (first << 10) | end)
        return tokens


def _is_dear(tokens: int, part: str) -> bool:
    return tokens > (_DEAR_ASCII if part.isascii() else _DEAR) * size(part)


def _keep(costs: dict[str, int], word: str, tokens: int) -> None:
    if len(word) <= _MAX_KEPT_CHARS:
        if len(costs) >= _MAX_KEPT_WORDS:
            costs.clear()
        costs[word] = tokens


def size(text: str) -> int:
    """Return how many bytes a text is, which is as many tokens as it can be."""
    return len(text.encode("utf-8", "surrogatepass"))
