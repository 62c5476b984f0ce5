"""What a provider counted stands for what it counted, and for nothing else."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.conversation import PromptMessage
from app.limits.estimate import Tokenizer, estimate_messages, estimate_prompt
from app.limits.prompts import PromptSizes

TOKENIZER = Tokenizer.ANY
ENOUGH = 10_000
SYSTEM = PromptMessage("system", "Be brief.")
FIRST = [SYSTEM, PromptMessage("user", "What are your hours?")]
NEW = [PromptMessage("assistant", "Nine to five."), PromptMessage("user", "On Sundays, too?")]
COUNTED = 18
Prompt = Sequence[PromptMessage]


def as_it_is(prompt: Prompt) -> Prompt:
    return prompt


def asked(
    sizes: PromptSizes, prompt: Prompt, session: str = "s-1", max_tokens: int = ENOUGH
) -> int:
    return sizes.fit(session, prompt, max_tokens, as_it_is)[1].tokens


def counting(prompt: Prompt = FIRST, tokens: int = COUNTED, sessions: int = 1) -> PromptSizes:
    """Sizes that were told what a provider counted for a prompt."""
    sizes = PromptSizes(TOKENIZER)
    for number in range(1, sessions + 1):
        session = f"s-{number}"
        sizes.learn(session, sizes.fit(session, prompt, ENOUGH, as_it_is)[1], tokens)
    return sizes


def test_what_was_not_counted_is_estimated() -> None:
    assert asked(PromptSizes(TOKENIZER), FIRST) == estimate_prompt(FIRST, TOKENIZER)


@pytest.mark.parametrize("new", [[], NEW])
def test_a_count_takes_the_place_of_what_was_counted(new: list[PromptMessage]) -> None:
    expected = COUNTED + estimate_messages(new, TOKENIZER)

    assert asked(counting(), [*FIRST, *new]) == expected


def test_a_count_of_one_model_says_nothing_of_another_ones() -> None:
    sizes = PromptSizes(TOKENIZER, counts_alike=False)
    sizes.learn("s-1", sizes.fit("s-1", FIRST, ENOUGH, as_it_is)[1], COUNTED)

    assert asked(sizes, [*FIRST, *NEW]) == estimate_prompt([*FIRST, *NEW], TOKENIZER)


@pytest.mark.parametrize(
    "prompt",
    [
        [SYSTEM, PromptMessage("user", "What are your hours, and " + "why? " * 100), *NEW],
        [SYSTEM, PromptMessage("assistant", FIRST[1].content), *NEW],
        [PromptMessage("system", "Be long."), FIRST[1], *NEW],
        [SYSTEM, *NEW],
        [FIRST[1], SYSTEM, *NEW],
        [SYSTEM],
        [PromptMessage("system", "Be brief.What are your hours?"), *NEW],
    ],
    ids=["longer", "another role", "other instructions", "left out", "order", "less", "joined"],
)
def test_a_count_stands_for_no_other_words(prompt: Prompt) -> None:
    sent, size = counting().fit("s-1", prompt, ENOUGH, as_it_is)

    assert size.tokens == estimate_prompt(sent, TOKENIZER)


def test_a_count_stands_for_no_other_session() -> None:
    assert asked(counting(), FIRST, session="s-2") == estimate_prompt(FIRST, TOKENIZER)


def test_a_server_that_counts_more_than_we_see_is_believed_for_the_session() -> None:
    own = estimate_prompt(FIRST, TOKENIZER)
    sizes = counting(tokens=own + 500)  # instructions of its own

    assert asked(sizes, [*FIRST, *NEW]) == own + 500 + estimate_messages(NEW, TOKENIZER)
    assert asked(sizes, [SYSTEM, NEW[1]]) == estimate_prompt([SYSTEM, NEW[1]], TOKENIZER) + 500


def test_a_conversation_that_is_counted_to_fit_is_not_cut() -> None:
    sent = counting(tokens=40).fit("s-1", [*FIRST, *NEW], 100, as_it_is)

    assert sent[0] == [*FIRST, *NEW]
    assert sent[1].tokens <= 100 < estimate_prompt(FIRST + NEW, TOKENIZER)


def test_a_count_that_leaves_no_room_lets_the_conversation_be_cut() -> None:
    own = estimate_prompt(FIRST, TOKENIZER)

    prompt, size = counting(tokens=own).fit("s-1", [*FIRST, *NEW], own + 10, as_it_is)

    assert prompt == [SYSTEM, NEW[1]]
    assert size.tokens == estimate_prompt(prompt, TOKENIZER)


def test_a_crowd_of_sessions_is_forgotten_oldest_first() -> None:
    sizes = counting(sessions=5001)

    assert asked(sizes, FIRST, session="s-1") == estimate_prompt(FIRST, TOKENIZER)
    assert asked(sizes, FIRST, session="s-2") == COUNTED


@given(
    st.lists(st.tuples(st.text(max_size=40), st.booleans()), min_size=1, max_size=12),
    st.integers(100, 400),
    st.integers(0, 30),
)
def test_no_sequence_of_prompts_is_sized_below_what_is_counted(
    turns: list[tuple[str, bool]], max_tokens: int, hidden: int
) -> None:
    """The provider adds ``hidden`` tokens that it shows nobody from its first count on."""
    sizes, said = PromptSizes(TOKENIZER), [SYSTEM]
    has_counted = False
    for question, is_told in turns:
        said.append(PromptMessage("user", question))
        prompt, sent = sizes.fit("s-1", said, max_tokens, as_it_is)
        # Two thirds of the bytes, as prose may have.
        content = sum(2 * len(each.content.encode()) // 3 + 4 for each in prompt)
        count = content + 3 + hidden
        assert sent.tokens >= (count if has_counted else count - hidden)
        if is_told:
            sizes.learn("s-1", sent, count)
            has_counted = True
        said.append(PromptMessage("assistant", question[::-1]))
