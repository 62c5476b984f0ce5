"""What the model is sent of a conversation, whatever has happened in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.conversation import PromptMessage, Role
from app.limits.estimate import estimate_prompt
from app.limits.prompts import Prompt
from app.settings import TurnPolicy
from app.turns.endings import EMPTY_ANSWER
from app.turns.prompts import Prompts
from tests.turn_parts import a_reservation

SYSTEM = PromptMessage("system", "Be brief.")
ENOUGH = 10_000


def said(*texts: str) -> list[PromptMessage]:
    """``q…`` is the visitor's, anything else an answer."""
    return [PromptMessage("user" if text[0] == "q" else "assistant", text) for text in texts]


def made(messages: list[PromptMessage], max_tokens: int) -> tuple[Prompt, int]:
    policy = TurnPolicy(system_prompt=SYSTEM.content, max_prompt_tokens=max_tokens)
    return Prompts(policy).make(messages, a_reservation().fit)


def contents(messages: list[PromptMessage], max_tokens: int = ENOUGH) -> list[str]:
    return [each.content for each in made(messages, max_tokens)[0][1:]]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (said("q1"), ["q1"]),
        (said("q1", "a1", "q2"), ["q1", "a1", "q2"]),
        (said("q1", "q2"), ["q1\n\nq2"]),
        (said("q1", "q2", "q3"), ["q1\n\nq2\n\nq3"]),
        (said("q1", "q2", "a2", "q3"), ["q1\n\nq2", "a2", "q3"]),
        (said("a0", "q1"), ["q1"]),
        (said("a0", "q1", "a1", "q2"), ["q1", "a1", "q2"]),
        (said("q1", EMPTY_ANSWER, "q2"), ["q1\n\nq2"]),
        (said("q1", " \n", "q2"), ["q1\n\nq2"]),
        (said("q1", "<think>hm</think>\n\na1", "q2"), ["q1", "a1", "q2"]),
        (said("q1", "hm\n</think>\n\na1", "q2"), ["q1", "a1", "q2"]),
        (said("q1", "<think>hm", "q2"), ["q1\n\nq2"]),
        (said("q1", "Use `<think>`.", "q2"), ["q1", "Use `<think>`.", "q2"]),
        (said("q1", "a1", "b1", "q2"), ["q1", "a1\n\nb1", "q2"]),
        ([PromptMessage("system", "x"), *said("q1")], ["q1"]),
    ],
)
def test_prompt_of_a_conversation(history: list[PromptMessage], expected: list[str]) -> None:
    assert contents(history) == expected


def test_too_long_a_conversation_loses_whole_turns() -> None:
    history = said("q1 " + "x " * 50, "a1 " + "x " * 50, "q2", "a2", "q3")

    assert contents(history, max_tokens=100) == ["q2", "a2", "q3"]


def test_unanswered_question_makes_way_for_the_question() -> None:
    assert contents(said("q1 " + "x " * 500, "q2"), max_tokens=100) == ["q2"]


def test_question_stays_however_long_it_is() -> None:
    question = "q " * 500

    assert contents(said("q1", "a1", question), max_tokens=10) == [question]


conversations = st.lists(
    st.builds(
        PromptMessage,
        st.sampled_from(["user", "assistant", "assistant", "system"]),
        st.sampled_from(
            ["Hi there", "", " ", EMPTY_ANSWER, "<think>x", "x</think>y", "word " * 30]
        ),
    ),
    max_size=12,
)


@given(conversations, st.integers(0, 200))
def test_every_prompt_begins_with_the_visitor_and_alternates(
    history: list[PromptMessage], max_tokens: int
) -> None:
    question = PromptMessage("user", "And now?")

    prompt, tokens = made([*history, question], max_tokens)

    roles: list[Role] = [each.role for each in prompt]
    assert roles == ["system", *(["user", "assistant"] * len(roles))[: len(roles) - 1]]
    assert prompt[0] == SYSTEM
    assert prompt[-1].content.endswith(question.content)
    assert tokens >= estimate_prompt(prompt) - 1
    if tokens > max_tokens:
        assert list(prompt) == [SYSTEM, question]
