"""The checker finds what it is there to find."""

import pytest

from tests.checker.flatness import Sample, growth
from tests.checker.ledger import Asked, Conversation, Said, compare

Q1, Q2, A1, A2 = ("user", "one?"), ("user", "two?"), ("assistant", "one."), ("assistant", "two.")

CASES: list[tuple[str, list[Said], tuple[int, int, int]]] = [
    ("all is there", [Q1, A1, Q2, A2], (0, 0, 0)),
    ("nothing is there", [], (2, 0, 0)),
    ("a question is missing", [Q2, A2], (1, 0, 0)),
    ("an answer is missing", [Q1, Q2, A2], (1, 0, 0)),
    ("an answer is another one", [Q1, A2, Q2, A2], (1, 0, 0)),
    ("a question stands twice", [Q1, A1, Q1, Q2, A2], (0, 1, 0)),
    ("an answer stands twice", [Q1, A1, A1, Q2, A2], (0, 1, 0)),
    ("the order is wrong", [Q2, A2, Q1, A1], (0, 0, 1)),
    ("an answer stands behind the next question", [Q1, Q2, A2, A1], (1, 1, 0)),
]


@pytest.mark.parametrize("seen", ["on", "oneone.", "e.on"])
def test_words_that_were_seen_otherwise_are_found(seen: str) -> None:
    asked = Asked("one?", "turn-1", stored=True, answer="one.", seen=seen)

    verdict = compare([Conversation("s-1", "c-1", [asked])], {"c-1": [Q1, A1]})

    assert (len(verdict.lost), len(verdict.misordered)) == (0, 1)


@pytest.mark.parametrize(("claim", "stored", "found"), CASES, ids=[case[0] for case in CASES])
def test_every_difference_is_found(
    claim: str, stored: list[Said], found: tuple[int, int, int]
) -> None:
    first = Asked("one?", "turn-1", stored=True, answer="one.")
    unheard = Asked("nobody heard?", "turn-2")
    second = Asked("two?", "turn-3", stored=True)
    conversation = Conversation("s-1", "c-1", [first, unheard, second])

    verdict = compare([conversation], {"c-1": stored})

    assert (len(verdict.lost), len(verdict.duplicated), len(verdict.misordered)) == found


def test_what_grows_is_told_from_what_is_flat() -> None:
    flat = [Sample(30 + n % 3, 20, 90_000 + n % 50) for n in range(100)]
    leaking = [Sample(30, 20 + n // 5, 90_000 + 200 * n) for n in range(100)]

    assert [each.is_flat for each in growth(flat)] == [True, True, True]
    assert [each.is_flat for each in growth(leaking)] == [True, False, False]
