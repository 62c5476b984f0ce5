"""Questions that were asked in vain, grouped."""

import csv
import io

import pytest

from app.domain.errors import NotFound
from app.domain.knowledge import Gap, GapReason
from app.operations.knowledge.gaps import (
    COLUMNS,
    Gaps,
    gaps_to_csv,
    group_gaps,
    in_order,
)
from app.storage.protocol import ConversationStore
from tests.knowledge_parts import ASSISTANT, ask_in_vain

NOON = 1_795_867_200_000


def a_gap(question: str, at: int = 0, reason: GapReason = "nothing_found") -> Gap:
    return Gap(f"m-{at}", f"c-{at}", question, "Sorry.", reason, NOON + at * 1000)


def test_questions_of_the_same_words_are_one_group() -> None:
    gaps = [
        a_gap("ship to Japan?", 3, "not_cited"),
        a_gap("Do you wrap gifts?", 2),
        a_gap("SHIP to japan", 1),
    ]

    first, second = group_gaps(gaps)

    assert (first.question, first.count) == ("ship to Japan?", 2)
    assert (first.first_at, first.last_at) == (NOON + 1000, NOON + 3000)
    assert first.reasons == {"not_cited": 1, "nothing_found": 1}
    assert first.message_ids == ["m-3", "m-1"]
    assert second.question == "Do you wrap gifts?"


def test_of_groups_asked_equally_often_the_latest_stands_first() -> None:
    groups = group_gaps([a_gap("new", 2), a_gap("old", 1)])

    assert [each.question for each in groups] == ["new", "old"]


def test_reasons_stand_in_order_of_their_number() -> None:
    assert in_order({"disliked": 1, "unknown": 3, "not_cited": 1}) == [
        "unknown",
        "disliked",
        "not_cited",
    ]


def test_dismissed_group_leaves_the_list_and_the_others_stay(store: ConversationStore) -> None:
    for question in ("Ship to Japan?", "ship to japan", "Wrap gifts?"):
        ask_in_vain(store, question)
    gaps = Gaps(store.documents, ASSISTANT)

    dismissed = gaps.dismiss(gaps.groups()[0].id)

    assert dismissed == 2
    assert [each.question for each in gaps.groups()] == ["Wrap gifts?"]
    assert store.list_conversations(limit=10).total == 3
    with pytest.raises(NotFound):
        gaps.dismiss("nothing")


def test_table_has_a_row_a_group_and_no_formula() -> None:
    groups = group_gaps([a_gap("=HYPERLINK(1)", 1, "unknown")])

    text = b"".join(gaps_to_csv(groups)).decode("utf-8-sig")

    header, row = csv.reader(io.StringIO(text, newline=""))
    assert tuple(header) == COLUMNS
    assert row == [
        "'=HYPERLINK(1)", "1", "2026-11-28 12:00:01", "2026-11-28 12:00:01", "unknown", "", "c-1",
    ]  # fmt: skip
