"""Pauses between attempts, and how what is pending stands in the store."""

import pytest

from app.notifications.delivery import PAUSES_S, NotTaken, Pending

HOUR_MS = 3_600_000


def test_pauses_grow_over_a_day() -> None:
    assert list(PAUSES_S) == sorted(PAUSES_S)
    assert 22 * 3600 < sum(PAUSES_S) < 26 * 3600


@pytest.mark.parametrize(
    ("text", "pending"),
    [
        ("webhook", Pending("webhook")),
        ("webhook:2:1764000000000", Pending("webhook", 2, 1764000000000)),
        ("visitor:0:1764000000000", Pending("visitor", 0, 1764000000000)),
        ("email:3:-", Pending("email", 3, is_over=True)),
    ],
)
def test_what_is_pending_comes_back_from_the_store(text: str, pending: Pending) -> None:
    assert Pending.parse(text) == pending
    assert str(pending) == text


def test_of_whatever_else_stands_there_the_name_is_read() -> None:
    assert Pending.parse("chat:x:y:z") == Pending("chat")


def test_pauses_have_a_jitter() -> None:
    waits = [
        Pending("webhook", 5).after(NotTaken("no"), 0, lambda draw=draw: draw).not_before  # type: ignore[misc]
        for draw in (0.0, 0.5, 1.0)
    ]

    assert waits == [2_880_000, 3_600_000, 4_320_000]


def test_after_the_last_pause_it_is_over() -> None:
    pending, now = Pending("webhook"), 0
    attempts = 1
    while not (pending := pending.after(NotTaken("no"), now, lambda: 0.5)).is_over:
        now = pending.not_before
        attempts += 1

    assert (attempts, pending) == (13, Pending("webhook", 13, is_over=True))
    assert now == sum(PAUSES_S) * 1000


@pytest.mark.parametrize(
    ("asked_s", "wait_ms"), [(3600, HOUR_MS), (1, 5000), (10**9, 24 * HOUR_MS)]
)
def test_a_receiver_says_how_long_it_wants_to_be_left_alone(asked_s: float, wait_ms: int) -> None:
    failure = NotTaken("no", retry_after_s=asked_s)

    assert Pending("webhook").after(failure, 0, lambda: 0.5).not_before == wait_ms


def test_what_is_final_is_over() -> None:
    assert Pending("email").after(NotTaken("no", is_final=True), 0).is_over
