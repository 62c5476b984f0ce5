"""What a prompt costs at most: as estimated, or as the provider counted it once."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.domain.conversation import PromptMessage
from app.limits.estimate import Tokenizer, cut_prompt, estimate_messages

_MAX_SESSIONS = 5000

Prompt = Sequence[PromptMessage]
Join = Callable[[Prompt], Prompt]
"""Gives messages the form in which they are sent."""


@dataclass(frozen=True, slots=True)
class SentPrompt:
    """A prompt as it is sent to the model; of its words only a hash is kept."""

    messages: int
    digest: int
    tokens: int


@dataclass(frozen=True, slots=True)
class _Counted:
    """The last prompt of a session that the provider counted.

    ``excess`` is how far it was above what we took for the most: a server
    may put instructions of its own before ours.
    """

    messages: int
    digest: int
    tokens: int
    excess: int


class PromptSizes:
    """Learns what the sessions' prompts cost that the provider counted.

    A count stands for exactly the messages that were counted, word for word:
    where the next prompt does not begin with all of them, it is estimated. So it
    is where one model's count tells nothing of the next one's (``counts_alike``).
    """

    def __init__(self, tokenizer: Tokenizer, *, counts_alike: bool = True) -> None:
        self._tokenizer = tokenizer
        self._counts_alike = counts_alike
        self._sessions: OrderedDict[str, _Counted] = OrderedDict()

    def fit(
        self, session_id: str, said: Prompt, max_tokens: int, join: Join
    ) -> tuple[Prompt, SentPrompt]:
        """Return a conversation as it is sent, cut to the owner's limit, and its size."""
        counted = self._sessions.get(session_id)
        if counted is not None and self._counts_alike:
            whole = join(said)
            if _digest(whole[: counted.messages]) == counted.digest:
                new = whole[counted.messages :]
                tokens = counted.tokens + estimate_messages(new, self._tokenizer)
                if tokens <= max_tokens:
                    return whole, SentPrompt(len(whole), _digest(whole), tokens)
        kept, tokens = cut_prompt(said, max_tokens, self._tokenizer)
        sent = join(kept)
        tokens += counted.excess if counted is not None else 0
        return sent, SentPrompt(len(sent), _digest(sent), tokens)

    def learn(self, session_id: str, sent: SentPrompt, tokens: int) -> None:
        """Remember what the provider counted."""
        known = self._sessions.pop(session_id, None)
        excess = max(tokens - sent.tokens, known.excess if known else 0)
        self._sessions[session_id] = _Counted(sent.messages, sent.digest, tokens, excess)
        if len(self._sessions) > _MAX_SESSIONS:
            self._sessions.popitem(last=False)


def _digest(prompt: Prompt) -> int:
    # Strings hash with a key of this process: nobody can make up two that share one.
    return hash(tuple(prompt))
