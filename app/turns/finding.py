"""Looking into the owner's pages while the store takes a question in."""

from dataclasses import replace
from typing import Any

import gevent

from app.assistants import Assistant
from app.domain.conversation import PromptMessage, Question, Turn
from app.domain.grounding import Grounds, ground
from app.domain.knowledge import Found, Inquiry
from app.knowledge.protocol import Knowledge
from app.limits.prompts import Prompt

# Far above what finding takes: past it, the answer does without.
_PATIENCE_S = 2.0


class Finding:
    """Finds what a question may be answered from; make it before the question is stored."""

    __slots__ = ("_knowledge", "_policy", "_question", "_running")

    def __init__(self, assistant: Assistant, question: Question) -> None:
        self._policy = assistant.settings.knowledge
        self._question = question
        self._knowledge: Knowledge | None = None
        self._running: Any = None
        knowledge = assistant.knowledge
        if knowledge is None or self._policy.mode == "off":
            return
        if self._policy.mode == "only" or knowledge.is_known():
            self._knowledge = knowledge
            self._running = gevent.spawn(knowledge.find, self._inquiry())

    def grounds(self, turn: Turn) -> Grounds | None:
        """Return what the answer is to stand on, now that the turn is known.

        A question that follows another one is looked up with that, once more.
        """
        if self._knowledge is None or turn.answer is not None or turn.state != "bot":
            return None
        running = self._running
        before = _question_before(turn.prompt)
        if before is not None:
            inquiry = replace(self._inquiry(), before=before, cited=tuple(turn.cited))
            running = gevent.spawn(self._knowledge.find, inquiry)
        running.join(_PATIENCE_S)
        found = running.value if running.ready() else None
        policy = self._policy
        return ground(found or Found(is_ready=False), policy.mode, policy.unknown_message)

    def _inquiry(self) -> Inquiry:
        page = self._question.page
        return Inquiry(self._question.content, page_url=page.url if page else None)


def _question_before(prompt: Prompt) -> str | None:
    asked: list[PromptMessage] = [each for each in prompt if each.role == "user"]
    return asked[-2].content if len(asked) > 1 else None
