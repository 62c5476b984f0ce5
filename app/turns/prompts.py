"""What the model is sent of a conversation: the only place that makes prompts.

Chat templates are strict: after the instructions the visitor begins, and the
two take turns. A store has what happened: turns that failed, answers of
nothing, a history that begins where its limit cut it.
"""

from collections.abc import Callable, Iterator, Sequence

from app.completion.thinking import cut_thinking
from app.domain.conversation import PromptMessage, Question
from app.domain.grounding import Grounds, frame, without_citations
from app.limits.prompts import Join, Prompt
from app.settings import TurnPolicy
from app.turns.endings import EMPTY_ANSWER

_BETWEEN = "\n\n"

Fit = Callable[[Prompt, int, Join], tuple[Prompt, int]]
"""Cuts a conversation to so many tokens, and gives it the form in which it is sent."""


class Prompts:
    """Makes the prompts of one assistant."""

    def __init__(self, policy: TurnPolicy) -> None:
        self._system = PromptMessage("system", policy.system_prompt)
        self._max_tokens = policy.max_prompt_tokens

    def opening(self, question: Question) -> Prompt:
        """Return the least that a question costs: what is known before its history is."""
        return [self._system, PromptMessage("user", question.content)]

    def make(self, said: Prompt, fit: Fit, grounds: Grounds | None = None) -> tuple[Prompt, int]:
        """Return the prompt of a conversation that ends with the question, and its size.

        What is too long loses its oldest turns, whole; the question stays. One
        that was not answered is put before the next: a visitor who asks "hello?"
        after a failure still means the first. Passages come on top of the limit: what
        was said keeps its own.
        """
        if grounds is None:
            return fit([self._system, *_history(said), said[-1]], self._max_tokens, _joined)
        question = PromptMessage("user", frame(said[-1].content, grounds.found))
        history = map(_uncited, _history(said))
        limit = self._max_tokens + grounds.tokens
        return fit([self._system, *history, question], limit, _joined)


def _uncited(message: PromptMessage) -> PromptMessage:
    """Return a message as the next answer may see it: numbers belong to one turn."""
    if message.role != "assistant":
        return message
    return PromptMessage(message.role, without_citations(message.content))


def _history(said: Sequence[PromptMessage]) -> Iterator[PromptMessage]:
    """Yield what was said before the question, and is worth telling."""
    has_asked = False
    for message in said[:-1]:
        if message.role == "user":
            has_asked = True
            yield message
        elif message.role in ("assistant", "operator") and has_asked:
            answer = cut_thinking(message.content)
            if answer.strip() not in ("", EMPTY_ANSWER):
                is_same = answer is message.content and message.role == "assistant"
                yield message if is_same else PromptMessage("assistant", answer)


def _joined(prompt: Sequence[PromptMessage]) -> list[PromptMessage]:
    joined: list[PromptMessage] = []
    for message in prompt:
        if joined and joined[-1].role == message.role:
            text = joined[-1].content + _BETWEEN + message.content
            joined[-1] = PromptMessage(message.role, text)
        else:
            joined.append(message)
    return joined
