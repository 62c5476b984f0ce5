"""The estimate of tokens: against what OpenAI recorded, and against those who would cheat it."""

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.budget.estimate import cut_prompt, estimate_prompt, estimate_text
from app.conversation import PromptMessage

# Text and the tokens that OpenAI's tokenizers or its API counted for it
# (o200k_base; the cookbook's and the API reference's examples).
COUNTED = (
    (
        (
            "Argentina won the 2022 FIFA World Cup, defeating France in the final match which "
            "ended in a dramatic penalty shootout after a 3-3 draw in regulation and extra time. "
            "This victory marked Argentina's third World Cup title, with their previous wins in "
            "1978 and 1986."
        ),
        61,
    ),
    ("Hello! I'm doing well, thank you for asking. How can I assist you today?", 18),
    ("お誕生日おめでとう", 8),
    ("tiktoken is great!", 6),
    ("2 + 2 = 4", 7),
    ("antidisestablishmentarianism", 6),
)
RECORDED_PROMPTS = (
    ([("user", "Who won the World Cup in 2022?")], 17),
    ([("system", "You are a helpful assistant."), ("user", "Hello!")], 19),
    (
        # The names that two pairs of these carry are 8 tokens of the 124.
        [
            (
                "system",
                (
                    "You are a helpful, pattern-following assistant that translates corporate "
                    "jargon into plain English."
                ),
            ),
            ("system", "New synergies will help drive top-line growth."),
            ("system", "Things working well together will increase revenue."),
            (
                "system",
                (
                    "Let's circle back when we have more bandwidth to touch base on opportunities "
                    "for increased leverage."
                ),
            ),
            ("system", "Let's talk later when we're less busy about how to do better."),
            (
                "user",
                (
                    "This late pivot means we don't have time to boil the ocean for the client "
                    "deliverable."
                ),
            ),
        ],
        124,
    ),
)


def messages(*texts: str) -> list[PromptMessage]:
    return [PromptMessage("user", text) for text in texts]


@pytest.mark.parametrize(("text", "counted"), COUNTED, ids=[text[:20] for text, _ in COUNTED])
def test_text_is_estimated_near_its_count(text: str, counted: int) -> None:
    assert abs(estimate_text(text) - counted) <= max(8, 0.25 * counted)


@pytest.mark.parametrize(("prompt", "recorded"), RECORDED_PROMPTS)
def test_prompt_is_estimated_near_its_recorded_usage(
    prompt: list[tuple[str, str]], recorded: int
) -> None:
    said = [PromptMessage(role, text) for role, text in prompt]  # type: ignore[arg-type]

    assert 0.9 * recorded <= estimate_prompt(said) <= 1.25 * recorded


@pytest.mark.parametrize(
    ("text", "at_least"),
    [
        # What is long in tokens and short in characters, at its usual price.
        (base64.b64encode(bytes(range(256)) * 4).decode(), 680),
        ("https://example.com/a/b?c=" + "d3f9" * 200, 400),
        ("你好世界" * 100, 300),
        ("👋🏽" * 100, 200),
        ("a b c d " * 100, 400),
        ("привет мир " * 100, 400),
    ],
)
def test_text_that_is_dear_is_not_estimated_as_prose(text: str, at_least: int) -> None:
    assert estimate_text(text) >= at_least


def test_nothing_is_nothing() -> None:
    assert estimate_text("") == 0


@given(st.text(st.characters(exclude_categories=[]), min_size=1))
@example(" ")
@example("   \n")
def test_any_text_has_an_estimate_of_at_most_its_bytes(text: str) -> None:
    assert 1 <= estimate_text(text) <= len(text.encode("utf-8", "surrogatepass"))


def test_prompt_that_fits_is_left_whole() -> None:
    prompt = messages("one", "two", "three")

    assert cut_prompt(prompt, 1000) == (prompt, estimate_prompt(prompt))


def test_oldest_messages_are_left_out_first() -> None:
    prompt = [PromptMessage("system", "Be brief."), *messages("old " * 50, "newer", "question")]

    cut, _ = cut_prompt(prompt, 40)

    assert [said.content for said in cut] == ["Be brief.", "newer", "question"]


def test_a_message_that_does_not_fit_ends_the_history() -> None:
    prompt = messages("short", "long " * 100, "question")

    cut, _ = cut_prompt(prompt, 50)

    assert [said.content for said in cut] == ["question"]


def test_instructions_and_question_stay_whatever_their_length() -> None:
    prompt = [PromptMessage("system", "rules " * 100), *messages("history", "question " * 100)]

    cut, _ = cut_prompt(prompt, 10)

    assert cut == [prompt[0], prompt[-1]]


@given(st.lists(st.text(max_size=60), min_size=1, max_size=12), st.integers(0, 300))
def test_cut_prompt_keeps_within_its_bound(texts: list[str], max_tokens: int) -> None:
    prompt = messages(*texts)

    cut, tokens = cut_prompt(prompt, max_tokens)

    assert cut == prompt[len(prompt) - len(cut) :]
    least = estimate_prompt(prompt[-1:])
    assert tokens == estimate_prompt(cut) <= max(max_tokens, least)
