"""The estimate of tokens: against what tokenizers count, and against those who would cheat it.

``count_tokens.py`` made the counts. A corpus that is not the counted one fails here.
"""

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.conversation import PromptMessage
from app.limits.estimate import (
    Tokenizer,
    cut_prompt,
    estimate_messages,
    estimate_prompt,
    estimate_text,
)
from app.limits.vocabulary import Vocabulary
from tests.limits.count_tokens import digest
from tests.limits.hostile import hostile_texts

HERE = Path(__file__).parent
# What OpenAI's chat format puts around each.
A_MESSAGE = 4
COUNTED_BY: dict[Tokenizer, tuple[str, ...]] = {
    Tokenizer.O200K: ("o200k",),
    Tokenizer.CL100K: ("cl100k",),
    Tokenizer.OPENAI: ("o200k", "cl100k"),
    Tokenizer.ANY: ("o200k", "cl100k", "tekken", "mistral"),
}
# How far ordinary prose may be above the count: of the dearer one where there are two.
MOST_OF_PROSE = 1.35
COUNTS = json.loads((HERE / "counts.json").read_text())
PROSE: dict[str, str] = json.loads((HERE / "prose.json").read_text())

RECORDED_PROMPTS = (
    ([("user", "Who won the World Cup in 2022?")], 17),
    ([("system", "You are a helpful assistant."), ("user", "Hello!")], 19),
    (
        # It was 124 with the names of four of these, which are 14 tokens.
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
        124 - 14,
    ),
)


def messages(*texts: str) -> list[PromptMessage]:
    return [PromptMessage("user", text) for text in texts]


@pytest.fixture(scope="module")
def hostile() -> list[tuple[str, str]]:
    texts = list(hostile_texts())
    assert digest([text for _, text in texts]) == COUNTS["sha256"], "count them anew"
    return texts


@pytest.mark.slow
@pytest.mark.parametrize("tokenizer", Tokenizer)
def test_no_hostile_text_is_estimated_below_its_count(
    tokenizer: Tokenizer, hostile: list[tuple[str, str]]
) -> None:
    counts = zip(*(COUNTS["hostile"][name] for name in COUNTED_BY[tokenizer]), strict=True)

    low = [
        (kind, text[:40], estimate, most)
        for (kind, text), most in zip(hostile, map(max, counts), strict=True)
        if (estimate := estimate_messages(messages(text), tokenizer)) < most + A_MESSAGE
    ]

    assert len(hostile) >= 4000
    assert low == []


@pytest.mark.parametrize("tokenizer", [t for t in Tokenizer if t is not Tokenizer.ANY])
def test_prose_is_estimated_above_its_count_and_not_far(tokenizer: Tokenizer) -> None:
    counts = [COUNTS["prose"][name] for name in COUNTED_BY[tokenizer]]

    far = [
        (title, estimate, most)
        for title, text in PROSE.items()
        if not (most := max(count[title] for count in counts))
        <= (estimate := estimate_text(text, tokenizer))
        <= MOST_OF_PROSE * most
    ]

    assert far == []


def test_unknown_tokenizers_have_a_token_a_byte() -> None:
    estimates = {title: estimate_text(text, Tokenizer.ANY) for title, text in PROSE.items()}

    assert estimates == {title: len(text.encode()) for title, text in PROSE.items()}


def test_prose_is_of_thirty_languages_and_scripts() -> None:
    assert len({title.partition(":")[0] for title in PROSE}) >= 60


@pytest.mark.parametrize(("prompt", "recorded"), RECORDED_PROMPTS)
def test_prompt_is_estimated_near_its_recorded_usage(
    prompt: list[tuple[str, str]], recorded: int
) -> None:
    said = [PromptMessage(role, text) for role, text in prompt]  # type: ignore[arg-type]

    assert recorded <= estimate_prompt(said, Tokenizer.O200K) <= 1.25 * recorded


def test_long_salad_costs_a_token_a_byte() -> None:
    rng = Random(3)
    text = "".join(chr(97 + rng.randrange(26)) for _ in range(4000))

    assert estimate_text(text) == len(text)


@pytest.mark.parametrize(
    ("model", "tokenizer"),
    [
        ("gpt-4.1-mini", Tokenizer.O200K),
        ("gpt-4o-2024-08-06", Tokenizer.O200K),
        ("chatgpt-4o-latest", Tokenizer.O200K),
        ("gpt-6-luna", Tokenizer.O200K),
        ("o3-mini", Tokenizer.O200K),
        ("openai/gpt-5", Tokenizer.O200K),
        ("ft:gpt-4o-mini:shop::abc", Tokenizer.O200K),
        ("gpt-4", Tokenizer.CL100K),
        ("gpt-4-turbo", Tokenizer.CL100K),
        ("gpt-3.5-turbo", Tokenizer.CL100K),
        ("gpt-40", Tokenizer.ANY),
        ("gpt-7", Tokenizer.ANY),
        ("meta-llama/Llama-3.1-8B-Instruct", Tokenizer.ANY),
        ("my-gpt-4o", Tokenizer.ANY),
        ("", Tokenizer.ANY),
    ],
)
def test_models_name_tells_its_tokenizer(model: str, tokenizer: Tokenizer) -> None:
    assert Tokenizer.of(model) is tokenizer


@pytest.mark.parametrize(
    ("models", "tokenizer"),
    [
        (("gpt-4o", "gpt-5"), Tokenizer.O200K),
        (("gpt-4o", "gpt-4"), Tokenizer.OPENAI),
        (("gpt-4o", "mistral-small"), Tokenizer.ANY),
    ],
)
def test_of_several_models_the_dearest_counts(
    models: tuple[str, ...], tokenizer: Tokenizer
) -> None:
    assert Tokenizer.of(*models) is tokenizer


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


@pytest.mark.parametrize("name", ["o200k", "cl100k"])
def test_paragraphs_that_are_counted_one_by_one_are_the_whole(name: str) -> None:
    text = (HERE.parents[1] / "docs" / "limits.md").read_text(encoding="utf-8")[:9000]
    tokenizer = {"o200k": Tokenizer.O200K, "cl100k": Tokenizer.CL100K}[name]

    assert estimate_text(text, tokenizer) == Vocabulary(name).count(text)
