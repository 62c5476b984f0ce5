"""The checker finds what it is there to find."""

from dataclasses import dataclass, replace

import pytest

from tests.checker.absence import overdue_s
from tests.checker.comparison import compare
from tests.checker.flatness import Sample, growth
from tests.checker.ledger import Asked, Conversation, Happened, Reading, Reply, Row

Q1, Q2 = Row("user", "one?", at=1), Row("user", "two?", at=3)
A1, A2 = Row("assistant", "one.", "complete", at=2), Row("assistant", "two.", "complete", at=4)
ASKED, TAKEN = Row("system", "", event="asked", at=10), Row("system", "", event="taken", at=20)
WORDS, ENDED = Row("operator", "Hello", at=30), Row("system", "", event="released", at=40)
PEOPLE = [ASKED, TAKEN, WORDS, ENDED]

CASES: list[tuple[str, list[Row], tuple[int, int, int]]] = [
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


def an_answered(*readings: Reading) -> Asked:
    told = list(readings) or [Reading(1, 2, "one.", "one.")]
    return Asked("one?", "turn-1", "one.", stored=True, readings=told)


@pytest.mark.parametrize(("claim", "stored", "found"), CASES, ids=[case[0] for case in CASES])
def test_every_difference_is_found(
    claim: str, stored: list[Row], found: tuple[int, int, int]
) -> None:
    unheard = Asked("nobody heard?", "turn-2")
    second = Asked("two?", "turn-3", stored=True)
    conversation = Conversation("s-1", "c-1", [an_answered(), unheard, second])

    verdict = compare([conversation], {"c-1": stored})

    assert (len(verdict.lost), len(verdict.duplicated), len(verdict.misordered)) == found


@pytest.mark.parametrize("seen", ["on", "oneone.", "e.on"])
def test_words_that_were_seen_otherwise_are_found(seen: str) -> None:
    asked = an_answered(Reading(1, 2, "one.", "one."), Reading(1, 2, seen, "one."))

    verdict = compare([Conversation("s-1", "c-1", [asked])], {"c-1": [Q1, A1]})

    assert (len(verdict.lost), len(verdict.misordered)) == (0, 1)


@pytest.mark.parametrize(("sources", "lost"), [('[{"n": 1}]', 0), ("[]", 1), ("null", 1)])
def test_sources_that_were_told_otherwise_are_found(sources: str, lost: int) -> None:
    asked = an_answered(Reading(1, 2, "one.", "one.", sources))
    row = A1._replace(sources='[{"n": 1}]')

    verdict = compare([Conversation("s-1", "c-1", [asked])], {"c-1": [Q1, row]})

    assert len(verdict.lost) == lost


@pytest.mark.parametrize(("seen", "differences"), [("on", 0), ("onon", 1), ("ne", 1)])
def test_words_of_one_who_left_begin_the_answer(seen: str, differences: int) -> None:
    asked = an_answered(Reading(1, 2, seen))

    verdict = compare([Conversation("s-1", "c-1", [asked])], {"c-1": [Q1, A1]})

    assert len(verdict.misordered) == differences


@pytest.mark.parametrize(("sent_at", "lost"), [(0.5, 1), (1.5, 0)])
def test_only_an_answer_that_was_cut_is_replaced_when_asked_again(
    sent_at: float, lost: int
) -> None:
    whole = Reading(2, 3, "one.", "one.")
    cut = Reading(1, 2, "on", "on", is_cut=True)
    asked = replace(an_answered(cut, whole), sent_at=sent_at)

    verdict = compare([Conversation("s-1", "c-1", [asked])], {"c-1": [Q1, A1]})

    assert len(verdict.lost) == lost


@pytest.mark.parametrize(
    ("claim", "rows", "found"),
    [
        ("stored", [WORDS], (0, 0, 0)),
        ("not stored", [], (1, 0, 0)),
        ("stored twice", [WORDS, WORDS], (0, 1, 0)),
        ("stored beside others", [WORDS, Row("operator", "Who?")], (0, 0, 1)),
    ],
)
def test_reply_that_is_lost_doubled_or_moved_is_found(
    claim: str, rows: list[Row], found: tuple[int, int, int]
) -> None:
    replies = {"c-1": [Reply("Hello", "k-1", stored=True)]}

    verdict = compare([Conversation("s-1", "c-1")], {"c-1": rows}, replies)

    assert (len(verdict.lost), len(verdict.duplicated), len(verdict.misordered)) == found


FIRST, SECOND = Happened(1, "asked", ""), Happened(2, "taken", "")


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ([FIRST, SECOND], (0, 0, 0)),
        ([FIRST, FIRST], (0, 1, 0)),
        ([SECOND], (0, 0, 1)),
        ([FIRST, Happened(2, "closed", "")], (1, 0, 0)),
    ],
)
def test_events_are_told_once_and_in_order(
    told: list[Happened], found: tuple[int, int, int]
) -> None:
    replies = {"c-1": [Reply("Hello", "k-1")]}
    conversation = Conversation("s-1", "c-1", happened=told)

    verdict = compare([conversation], {"c-1": PEOPLE}, replies)

    assert (len(verdict.lost), len(verdict.duplicated), len(verdict.misordered)) == found


@pytest.mark.parametrize(
    ("claim", "asked_at", "status", "said_at", "intruders"),
    [
        ("whole, before anybody was asked for", 1, "complete", 2, 0),
        ("whole, before the take-over", 1, "complete", 19, 0),
        ("whole, behind the take-over", 1, "complete", 21, 1),
        ("cut, behind the take-over", 1, "partial", 21, 0),
        ("asked and answered while one waits", 11, "complete", 12, 1),
        ("asked and cut where a person answers", 25, "partial", 26, 1),
        ("asked while one waits, answered afterwards", 11, "complete", 41, 0),
    ],
)
def test_assistant_that_speaks_where_a_person_answers_is_found(
    claim: str, asked_at: int, status: str, said_at: int, intruders: int
) -> None:
    said = [Row("user", "one?", at=asked_at), Row("assistant", "one.", status, at=said_at)]

    verdict = compare([Conversation("s-1", "c-1")], {"c-1": [*said, ASKED, TAKEN, ENDED]})

    assert len(verdict.intruding) == intruders


@dataclass
class Written:
    came_at: float
    ended_at: float | None


@pytest.mark.parametrize(
    ("claim", "readings", "written", "by_s"),
    [
        ("nobody left", [(0, 9)], Written(0, 5), []),
        ("all left, and it was over", [(0, 1)], Written(0, 1.4), []),
        ("all left for good", [(0, 1)], Written(0, 4), [2.5]),
        ("it is still written", [(0, 1)], Written(0, None), [8.5]),
        ("one came back too late", [(0, 1), (3, 4)], Written(0, 4), [1.5]),
        ("another one was there", [(0, 1), (0.5, 3)], Written(0, 3.2), []),
        ("it began when all had left", [(0, 1)], Written(2, 4), [1.5]),
    ],
)
def test_answer_that_outlives_its_grace_is_found(
    claim: str, readings: list[tuple[float, float]], written: Written, by_s: list[float]
) -> None:
    told = [Reading(came_at, left_at) for came_at, left_at in readings]
    asked = Asked("one?", "turn-1", grace_s=0.5, readings=told)

    found = overdue_s([asked], {"one?": [written]}, now=10)

    assert [late_s for _, late_s in found] == by_s


def test_what_grows_is_told_from_what_is_flat() -> None:
    flat = [Sample(30 + n % 3, 20, 90_000 + n % 50) for n in range(100)]
    leaking = [Sample(30, 20 + n // 5, 90_000 + 200 * n) for n in range(100)]

    assert [each.is_flat for each in growth(flat)] == [True, True, True]
    assert [each.is_flat for each in growth(leaking)] == [True, False, False]
