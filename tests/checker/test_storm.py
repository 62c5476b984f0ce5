"""Visitors ask while everything breaks: nothing that was acknowledged is lost, doubled or moved."""

import pytest

from tests.checker.run import Plan, run, stage

pytestmark = pytest.mark.live

SECONDS = {"sqlite": 8.0, "convex": 5.0}


@pytest.mark.parametrize("store", SECONDS)
def test_what_was_acknowledged_outlives_the_storm(store: str) -> None:
    with stage(store) as (server, upstream, convex):
        outcome = run(server, upstream, convex, Plan(seconds=SECONDS[store]))

    print(outcome)
    assert outcome.verdict.is_clean, outcome.verdict
    assert outcome.acknowledged > 5
    assert outcome.came_back > 0
    assert outcome.repeated > 0
    assert outcome.struck["kill_worker"] > 0
