"""How many tokens a text is at most, without a tokenizer.

The text is cut into the longest pieces that the tokenizers are known to have
as tokens (``pieces.gz``: the commoner half of their vocabularies); whatever
lies between costs a token a byte, which no tokenizer exceeds. A tokenizer
knows more pieces, so it needs fewer of them; where it joins letters across
our pieces, it may need more, so words that fall into many pieces pay extra.
``tests/budget/test_estimate.py`` holds this against true counts.
"""

import gzip
import re
from collections.abc import Sequence
from enum import Enum
from functools import cache
from pathlib import Path

from app.conversation import PromptMessage

_PIECES = Path(__file__).with_name("pieces.gz")
_CHUNK = re.compile(r" ?\S+|\s")
# Tokens that fit into no piece of ours meet at most this often in one text.
_SPARE_TOKENS = 2
# Words whose pieces are shorter than this are no prose in Latin letters.
_PROSE_PIECE_CHARS = 2.6
# What is as dear costs time to look at, too, and is no prose: in ASCII, or in any
# script that a tokenizer does not know by the byte.
_PART_CHARS = 1000
_DEAR_TOKENS_A_BYTE = {True: 0.6, False: 0.9}
_LATIN_END = "\u0250"
_MAX_KEPT = 20_000
_MAX_KEPT_CHARS = 24


class Tokenizer(Enum):
    """What is known of a model's tokenizer; each costs at least what the one before does.

    ``OPENAI`` is either of OpenAI's, ``ANY`` one of which nothing is known.
    """

    O200K = "o200k"
    OPENAI = "openai"
    ANY = "any"

    @classmethod
    def of(cls, model: str) -> "Tokenizer":
        """Return what a model's name tells."""
        name = model.lower().rpartition("/")[2].removeprefix("ft:")
        if re.match(r"(chatgpt-4o|gpt-(4o|4\.1|4\.5|5|6|oss)|o[134])(?![0-9a-z])", name):
            return cls.O200K
        if re.match(r"gpt-(4|3\.5)(?![0-9])", name):
            return cls.OPENAI
        return cls.ANY


# What the chat format puts around each message, and once around all. Llama's
# tells the date, too.
_TOKENS_A_MESSAGE = {Tokenizer.O200K: 4, Tokenizer.OPENAI: 4, Tokenizer.ANY: 6}
_TOKENS_A_PROMPT = {Tokenizer.O200K: 3, Tokenizer.OPENAI: 3, Tokenizer.ANY: 32}


class _Estimator:
    """Estimates for one tokenizer; what it saw lately costs it a look."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._is_any = tokenizer is Tokenizer.ANY
        self._pieces, self._half_known = _read_pieces(tokenizer)
        self._longest: dict[str, int] = {}
        for piece in self._pieces:
            start, length = piece[:2], len(piece)
            if length > self._longest.get(start, 1):
                self._longest[start] = length
        self._texts: dict[tuple[int, int], int] = {}
        self._words: dict[str, int] = {}

    def text(self, text: str) -> int:
        # By its hash, which is keyed: nobody can make up two texts that share one.
        key = hash(text), len(text)
        tokens = self._texts.get(key)
        if tokens is None:
            tokens = self._count(text)
            if len(self._texts) >= _MAX_KEPT:
                self._texts.clear()
            self._texts[key] = tokens
        return tokens

    def _count(self, text: str) -> int:
        if not text:
            return 0
        tokens = _SPARE_TOKENS
        for start in range(0, len(text), _PART_CHARS):
            part = text[start : start + _PART_CHARS]
            cost = self._part(part)
            dear = _DEAR_TOKENS_A_BYTE[part.isascii()] * _size(part)
            if len(part) == _PART_CHARS and cost > dear:
                # To look closer is not worth the time: the hard bound.
                tokens += _size(text[start:])
                break
            tokens += cost
        # Some have a token before the first byte.
        return tokens if self._is_any else min(tokens, _size(text))

    def _part(self, text: str) -> int:
        words, tokens = self._words, 0
        for word in _CHUNK.findall(text):
            cost = words.get(word)
            tokens += self._word(word) if cost is None else cost
        return tokens

    def _word(self, word: str) -> int:
        pieces, longest, half_known = self._pieces, self._longest, self._half_known
        tokens = at = 0
        length = len(word)
        while at < length:
            for end in range(min(length, at + longest.get(word[at : at + 2], 1)), at, -1):
                if word[at:end] in pieces:
                    tokens += 1
                    at = end
                    break
            else:
                code = ord(word[at])
                size = 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
                # All bytes but the last are one token.
                tokens += 2 if size > 2 and code >> 6 in half_known else size
                at += 1
        if word[-1] < _LATIN_END:
            is_prose = length >= _PROSE_PIECE_CHARS * tokens
            tokens += (tokens - 1) // 4 if is_prose else tokens // 3
        if length <= _MAX_KEPT_CHARS:
            if len(self._words) >= _MAX_KEPT:
                self._words.clear()
            self._words[word] = tokens
        return tokens


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def estimate_text(text: str, tokenizer: Tokenizer = Tokenizer.OPENAI) -> int:
    """Return how many tokens a text is at most."""
    return _estimator(tokenizer).text(text)


def estimate_prompt(
    prompt: Sequence[PromptMessage], tokenizer: Tokenizer = Tokenizer.OPENAI
) -> int:
    """Return how many tokens a model counts for a prompt at most."""
    return sum(estimate_messages(prompt, tokenizer)) + _TOKENS_A_PROMPT[tokenizer]


def estimate_messages(prompt: Sequence[PromptMessage], tokenizer: Tokenizer) -> list[int]:
    """Return how many tokens each message adds to a prompt at most."""
    text, around = _estimator(tokenizer).text, _TOKENS_A_MESSAGE[tokenizer]
    return [text(said.content) + around for said in prompt]


def cut_prompt(
    prompt: Sequence[PromptMessage],
    max_tokens: int,
    tokenizer: Tokenizer = Tokenizer.OPENAI,
) -> tuple[Sequence[PromptMessage], int]:
    """Leave out the oldest turns of a conversation that is too long for the owner.

    An answer goes with its question. The instructions before it and the question
    at its end always stay.
    Returns what is left, with its estimate.
    """
    costs = estimate_messages(prompt, tokenizer)
    tokens = sum(costs) + _TOKENS_A_PROMPT[tokenizer]
    first = sum(said.role == "system" for said in prompt[:-1])
    oldest = first
    while oldest < len(prompt) - 1 and (tokens > max_tokens or prompt[oldest].role == "assistant"):
        tokens -= costs[oldest]
        oldest += 1
    return [*prompt[:first], *prompt[oldest:]], tokens


@cache
def _estimator(tokenizer: Tokenizer) -> _Estimator:
    return _Estimator(tokenizer)


def _read_pieces(tokenizer: Tokenizer) -> tuple[frozenset[str], frozenset[int]]:
    """Read the pieces of a tokenizer, and the blocks of 64 characters that it half knows.

    A line is a digit, a bit of it for each tokenizer, and a piece; the first
    line names the blocks of each.
    """
    bit = 1 << list(Tokenizer).index(tokenizer)
    blocks, *lines = gzip.decompress(_PIECES.read_bytes()).decode().split("\n")
    of_each = [each.split() for each in blocks.split(",")]
    half_known = of_each[list(Tokenizer).index(tokenizer)]
    return (
        frozenset(line[1:] for line in lines if int(line[0]) & bit),
        frozenset(int(block, 16) for block in half_known),
    )
