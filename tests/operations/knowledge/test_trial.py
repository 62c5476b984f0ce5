"""A question asked for trial."""

from dataclasses import replace

import pytest

from app.domain.knowledge import Found, Inquiry, Passage
from app.operations.knowledge.trial import VERDICTS, Verdict, try_question
from app.settings.policies import KnowledgePolicy
from tests.data import some_settings
from tests.knowledge_parts import FixedKnowledge

PASSAGE = Passage("k", "Returns", "How long", "You have 30 days.", 12)
INQUIRY = Inquiry("May I send it back?", before="Hello", page_url="https://shop.example/")


@pytest.fixture
def policy() -> KnowledgePolicy:
    return some_settings().assistants[0].knowledge


@pytest.mark.parametrize(
    ("found", "mode", "verdict"),
    [
        (Found((PASSAGE,)), "prefer", "passages"),
        (Found((PASSAGE,)), "only", "passages"),
        (Found((PASSAGE,), owners_answer="Yes."), "prefer", "owner"),
        (Found(), "prefer", "alone"),
        (Found(), "only", "unknown"),
        (Found(has_content=False), "only", "alone"),
        (Found(is_ready=False), "prefer", "not_ready"),
        (Found(is_ready=False), "only", "unknown"),
        (Found((PASSAGE,)), "off", "off"),
    ],
)
def test_verdict_is_what_the_chat_would_do(
    policy: KnowledgePolicy, found: Found, mode: str, verdict: Verdict
) -> None:
    trial = try_question(FixedKnowledge(found), replace(policy, mode=mode), INQUIRY)

    assert trial.verdict == verdict
    assert trial.words == VERDICTS[verdict]


def test_trial_shows_the_message_as_the_model_would_get_it(policy: KnowledgePolicy) -> None:
    knowledge = FixedKnowledge(Found((PASSAGE,)))

    trial = try_question(knowledge, policy, INQUIRY)

    assert knowledge.asked == [INQUIRY]
    assert trial.sent is not None
    assert "[1] Returns › How long\nYou have 30 days." in trial.sent
    assert trial.sent.endswith("May I send it back?")
    assert trial.tokens > 12
    assert trial.reply is None


def test_owners_answer_costs_nothing(policy: KnowledgePolicy) -> None:
    trial = try_question(FixedKnowledge(Found((PASSAGE,), owners_answer="Yes.")), policy, INQUIRY)

    assert (trial.reply, trial.sent, trial.tokens) == ("Yes.", None, 0)


def test_without_any_knowledge_there_is_nothing_to_look_into(policy: KnowledgePolicy) -> None:
    assert try_question(None, policy, INQUIRY).verdict == "not_ready"
