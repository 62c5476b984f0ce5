"""What is cut out of a provider's words: all that they have in common with what was sent.

Whole refusals, in the shapes of many providers, are in tests/web/test_redacted_refusals.py.
"""

import itertools

import pytest

from app.completion.causes import Redaction

QUESTION = "breaker breaker breaker aaa"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (f"Not allowed: {QUESTION}", "Not allowed…"),
        (f"Not allowed: breaker {QUESTION}", "Not allowed…"),
        (f"{QUESTION} breaker {QUESTION}", "…"),
        ("a breaker b", "a breaker b"),  # too short to tell whose word it is
    ],
)
def test_words_that_repeat_are_cut_out_to_their_end(said: str, left: str) -> None:
    assert Redaction([QUESTION])(said) == left


def test_no_stretch_of_a_text_is_left_however_it_is_joined_with_itself() -> None:
    for parts in itertools.product(("breaker", "aaa", "b"), repeat=4):
        text = " ".join(parts)
        said = Redaction([text])(f"{parts[0]} {text} {text}")

        assert not [at for at in range(len(text) - 11) if text[at : at + 12] in said], text
