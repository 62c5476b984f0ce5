"""How many tokens a text is, without a tokenizer: an estimate, on the upper side.

The tables of the real tokenizers are downloads of megabytes, one for each
family of models. What is estimated here is replaced by the recorded usage
wherever the provider tells it; ``tests/budget/test_estimate.py`` holds the rules against
usage that OpenAI recorded.
"""

from collections.abc import Sequence

from app.conversation import PromptMessage

# Prose runs at 4 to 5 characters a token. Words longer than any prose has
# (addresses, hashes, base64) fall into pieces of two.
_PROSE_CHARS = 3.7
_CODED_CHARS = 2.0
_LONG_WORD_CHARS = 14
# Short words are a token each, and their punctuation one more now and then.
_TOKENS_A_WORD = 1.3
# A character of Cyrillic or Arabic is 2 bytes, of Chinese 3, an emoji 4.
_BYTES_A_TOKEN = 3.0
# What the chat format puts around each message, and before the answer.
_TOKENS_A_MESSAGE = 4
_TOKENS_AN_ANSWER = 3


def estimate_text(text: str) -> int:
    """Return about how many tokens a text is."""
    if not text:
        return 0
    other_tokens = 0
    if not text.isascii():
        plain = text.encode("ascii", "ignore")
        other_bytes = len(text.encode("utf-8", "surrogatepass")) - len(plain)
        other_tokens = round(other_bytes / _BYTES_A_TOKEN)
        if not plain:
            return other_tokens
        text = plain.decode("ascii")
    words = text.count(" ") + text.count("\n") + 1
    is_coded = len(text) > _LONG_WORD_CHARS * words
    by_chars = len(text) / (_CODED_CHARS if is_coded else _PROSE_CHARS)
    tokens = round(max(by_chars, words * _TOKENS_A_WORD, 1))
    # No token is less than a byte, however many spaces there are.
    return min(tokens, len(text)) + other_tokens


def estimate_prompt(prompt: Sequence[PromptMessage]) -> int:
    """Return about how many tokens a model counts for a prompt."""
    return sum(_estimates(prompt)) + _TOKENS_AN_ANSWER


def cut_prompt(
    prompt: Sequence[PromptMessage], max_tokens: int
) -> tuple[Sequence[PromptMessage], int]:
    """Leave out the oldest turns of a conversation that is too long for the owner.

    An answer goes with its question. The instructions before it and the question
    at its end always stay.
    Returns what is left, with its estimate.
    """
    costs = _estimates(prompt)
    tokens = sum(costs) + _TOKENS_AN_ANSWER
    first = sum(said.role == "system" for said in prompt[:-1])
    oldest = first
    while oldest < len(prompt) - 1 and (tokens > max_tokens or prompt[oldest].role == "assistant"):
        tokens -= costs[oldest]
        oldest += 1
    return [*prompt[:first], *prompt[oldest:]], tokens


def _estimates(prompt: Sequence[PromptMessage]) -> list[int]:
    return [estimate_text(said.content) + _TOKENS_A_MESSAGE for said in prompt]
