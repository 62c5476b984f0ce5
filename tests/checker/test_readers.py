"""Answers that nobody reads cost little, and not for long."""

import pytest

from tests.checker.readers import left_turns

pytestmark = pytest.mark.live

TURNS = 300
GRACE_S = 3.0
MOST_KIB, LATE_S = 32.0, 1.0


def test_turns_that_were_left_hold_little_and_end_in_time() -> None:
    left = left_turns(TURNS, GRACE_S)

    assert left.left_kib <= MOST_KIB, left
    assert left.first_after_s > GRACE_S - 0.2, left
    assert left.last_after_s < GRACE_S + LATE_S, left
