"""How many tokens a text is, without a tokenizer: an estimate, on the upper side.

The tables of the real tokenizers are downloads of megabytes, one for each
family of models. What is estimated here is replaced by the recorded usage
wherever the provider tells it; ``tests/budget/test_estimate.py`` holds the rules against
usage that OpenAI recorded.
"""

from collections.abc import Sequence

from app.conversation import Message

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
    if text.isascii():
        return _estimate_ascii(text)
    plain = text.encode("ascii", "ignore")
    other_bytes = len(text.encode("utf-8", "surrogatepass")) - len(plain)
    return _estimate_ascii(plain.decode("ascii")) + round(other_bytes / _BYTES_A_TOKEN)


def estimate_message(message: Message) -> int:
    """Return about how many tokens of a prompt a message is."""
    return estimate_text(message.content) + _TOKENS_A_MESSAGE


def estimate_prompt(prompt: Sequence[Message]) -> int:
    """Return about how many tokens a model counts for a prompt."""
    return sum(map(estimate_message, prompt)) + _TOKENS_AN_ANSWER


def cut_prompt(prompt: Sequence[Message], max_tokens: int) -> tuple[Sequence[Message], int]:
    """Leave out the oldest messages of a conversation that is too long for the owner.

    The instructions before it and the question at its end always stay.
    Returns what is left, with its estimate.
    """
    head = [message for message in prompt[:-1] if message.role == "system"]
    kept = [prompt[-1]]
    tokens = estimate_prompt([*head, prompt[-1]])
    for message in reversed(prompt[len(head) : -1]):
        tokens_more = tokens + estimate_message(message)
        if tokens_more > max_tokens:
            break
        tokens = tokens_more
        kept.append(message)
    return [*head, *reversed(kept)], tokens


def _estimate_ascii(text: str) -> int:
    if not text:
        return 0
    words = text.count(" ") + text.count("\n") + 1
    is_coded = len(text) > _LONG_WORD_CHARS * words
    by_chars = len(text) / (_CODED_CHARS if is_coded else _PROSE_CHARS)
    return round(max(by_chars, words * _TOKENS_A_WORD, 1))
