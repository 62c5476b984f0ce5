"""How many tokens a text is at most: what a provider counts is never more.

Of a model of OpenAI's by the tokenizer that its name tells, see ``vocabulary``;
of any other a token a byte. ``docs/adr/0012-estimate.md`` says why.
"""

import re
from collections.abc import Iterable, Sequence
from enum import Enum
from functools import cache

from app.domain.conversation import PromptMessage
from app.limits.vocabulary import Vocabulary, size

_MAX_KEPT_TEXTS = 20_000
# Where every tokenizer cuts, too: of pages that were told before, each paragraph is known.
_PARAGRAPH = re.compile(r"(?<=\n\n)(?=[^\s/])")
# Of longer texts, not all is looked at.
_LEAST_CUT_CHARS, _MOST_CUT_CHARS = 1000, 32_000


class Tokenizer(Enum):
    """What is known of a model's tokenizer: its vocabularies, of which the dearest counts.

    ``OPENAI`` is either of OpenAI's; ``ANY`` is one of which nothing is known.
    """

    O200K = ("o200k",)
    CL100K = ("cl100k",)
    OPENAI = ("o200k", "cl100k")
    ANY = ()

    # Of each estimate it is the key: what `Enum` hashes in Python, this does in C.
    __hash__ = object.__hash__

    @classmethod
    def of(cls, *models: str) -> "Tokenizer":
        """Return what the names of models tell that may be asked.

        The name is the owner's word, whichever server is asked: gateways pass
        OpenAI's models on under their own names.
        """
        found = {_of(model) for model in models}
        if len(found) == 1:
            return found.pop()
        return cls.ANY if cls.ANY in found else cls.OPENAI

    def load(self) -> None:
        """Read what estimates need, so that the first visitor does not wait for it."""
        _estimator(self)


def _of(model: str) -> Tokenizer:
    name = model.lower().rpartition("/")[2].removeprefix("ft:")
    if re.match(r"(chatgpt-4o|gpt-(4o|4\.1|4\.5|5|6|oss)|o[134])(?![0-9a-z])", name):
        return Tokenizer.O200K
    if re.match(r"gpt-(4|3\.5)(?![0-9a-z])", name):
        return Tokenizer.CL100K
    return Tokenizer.ANY


# What the chat format puts around each message, and once around all. Where it
# is not OpenAI's, it may tell the date, too.
_TOKENS_A_MESSAGE = dict.fromkeys(Tokenizer, 4) | {Tokenizer.ANY: 6}
_TOKENS_A_PROMPT = dict.fromkeys(Tokenizer, 3) | {Tokenizer.ANY: 32}


class _Estimator:
    """Estimates for one tokenizer; a text that it saw lately costs it a look."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._vocabularies = [_vocabulary(name) for name in tokenizer.value]
        self._texts: dict[tuple[int, int], int] = {}

    def text(self, text: str) -> int:
        # By its hash, which is keyed: nobody can make up two texts that share one.
        key = hash(text), len(text)
        tokens = self._texts.get(key)
        if tokens is None:
            tokens = self._count(text)
            if len(self._texts) >= _MAX_KEPT_TEXTS:
                self._texts.clear()
            self._texts[key] = tokens
        return tokens

    def _count(self, text: str) -> int:
        if not self._vocabularies:
            return size(text)
        if _LEAST_CUT_CHARS <= len(text) <= _MOST_CUT_CHARS:
            pieces = _PARAGRAPH.split(text)
            if len(pieces) > 1:
                return sum(map(self.text, pieces))
        return max(each.count(text) for each in self._vocabularies)


def estimate_text(text: str, tokenizer: Tokenizer = Tokenizer.OPENAI) -> int:
    """Return how many tokens a text is at most."""
    return _estimator(tokenizer).text(text)


def estimate_prompt(
    prompt: Iterable[PromptMessage], tokenizer: Tokenizer = Tokenizer.OPENAI
) -> int:
    """Return how many tokens a provider counts for a prompt at most."""
    return estimate_messages(prompt, tokenizer) + _TOKENS_A_PROMPT[tokenizer]


def estimate_messages(prompt: Iterable[PromptMessage], tokenizer: Tokenizer) -> int:
    """Return how many tokens messages add to a prompt at most."""
    text, around = _estimator(tokenizer).text, _TOKENS_A_MESSAGE[tokenizer]
    return sum([text(said.content) + around for said in prompt])


def cut_prompt(
    prompt: Sequence[PromptMessage],
    max_tokens: int,
    tokenizer: Tokenizer = Tokenizer.OPENAI,
) -> tuple[Sequence[PromptMessage], int]:
    """Leave out the oldest turns of a conversation that is too long for the owner.

    An answer goes with its question. The instructions before it and the question
    at its end always stay. What does not fit is not looked at further.
    Returns what is left, with its estimate.
    """
    end = len(prompt) - 1
    first = next((at for at in range(end) if prompt[at].role != "system"), end)
    tokens = estimate_prompt([*prompt[:first], prompt[-1]], tokenizer)
    oldest = kept = len(prompt) - 1
    kept_tokens = tokens
    text, around = _estimator(tokenizer).text, _TOKENS_A_MESSAGE[tokenizer]
    while oldest > first:
        oldest -= 1
        tokens += text(prompt[oldest].content) + around
        if tokens > max_tokens:
            break
        if prompt[oldest].role != "assistant":
            kept, kept_tokens = oldest, tokens
    return [*prompt[:first], *prompt[kept:]], kept_tokens


@cache
def _estimator(tokenizer: Tokenizer) -> _Estimator:
    return _Estimator(tokenizer)


@cache
def _vocabulary(name: str) -> Vocabulary:
    return Vocabulary(name)
