"""What the model is sent of a conversation: the only place that makes prompts.

Chat templates are strict: after the instructions the visitor begins, and the
two take turns. A store has what happened: turns that failed, answers of
nothing, a history that begins where its limit cut it.
"""

from collections.abc import Iterator, Sequence

from app.budget.estimate import cut_prompt
from app.completion.thinking import cut_thinking
from app.conversation import PromptMessage
from app.endings import EMPTY_ANSWER

_BETWEEN = "\n\n"


def make_prompt(
    system: PromptMessage, said: Sequence[PromptMessage], max_tokens: int
) -> tuple[Sequence[PromptMessage], int]:
    """Return the prompt of a conversation that ends with the question, and its estimate.

    What is too long for ``max_tokens`` loses its oldest turns, whole; the
    question stays. One that was not answered is put before the next: a visitor
    who asks "hello?" after a failure still means the first.
    """
    kept, tokens = cut_prompt([system, *_history(said), said[-1]], max_tokens)
    return _joined(kept), tokens


def _history(said: Sequence[PromptMessage]) -> Iterator[PromptMessage]:
    """Yield what was said before the question, and is worth telling."""
    has_asked = False
    for message in said[:-1]:
        if message.role == "user":
            has_asked = True
            yield message
        elif message.role == "assistant" and has_asked:
            answer = cut_thinking(message.content)
            if answer.strip() not in ("", EMPTY_ANSWER):
                yield message if answer is message.content else PromptMessage("assistant", answer)


def _joined(prompt: Sequence[PromptMessage]) -> list[PromptMessage]:
    joined: list[PromptMessage] = []
    for message in prompt:
        if joined and joined[-1].role == message.role:
            text = joined[-1].content + _BETWEEN + message.content
            joined[-1] = PromptMessage(message.role, text)
        else:
            joined.append(message)
    return joined
