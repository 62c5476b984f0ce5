"""What the figures cost in Convex: bounded, however much was said."""

from collections.abc import Iterator

import pytest

from app.domain.figures import DayFigures
from app.storage.convex import ConvexStore
from tests.convex_server import ConvexServer
from tests.data import a_question, an_answer

SHARDS = 8
DAYS = 31
SHARD = {"span": "day", "counts": {"turns": 2}}


@pytest.fixture
def convex_store(convex: ConvexServer) -> Iterator[ConvexStore]:
    opened = ConvexStore(convex.url, convex.deploy_key)
    yield opened
    opened.close()


def read_by(server: ConvexServer, path: str) -> list[int]:
    return [read for called, read in server.calls() if called == path]


def test_month_of_figures_reads_its_shards_and_no_other_days(
    convex: ConvexServer, convex_store: ConvexStore
) -> None:
    shards = [
        {
            "span": "day",
            "period": f"2026-{month:02}-{day:02}",
            "shard": shard,
            "counts": {"turns": 2},
        }
        for month in (9, 10, 11)
        for day in range(1, DAYS + 1)
        for shard in range(SHARDS)
    ]
    convex.insert("figures", shards)

    found = convex_store.read_figures("2026-10-01", "2026-10-31")

    assert list(found) == [
        DayFigures(f"2026-10-{day:02}", turns=2 * SHARDS) for day in range(1, DAYS + 1)
    ]
    assert read_by(convex, "figures:read") == [SHARDS * DAYS]


def test_end_of_a_turn_reads_no_more_figures_than_it_writes(
    convex: ConvexServer, convex_store: ConvexStore
) -> None:
    for number in range(12):
        question = a_question(session_id=f"session-{number}")
        turn = convex_store.begin_turn(question, history_limit=30, lease_s=60)
        convex_store.finish_turn(turn, an_answer())

    # The conversation and the question, the shard of the day and that of the hour.
    assert max(read_by(convex, "turns:finish")) <= 4


def test_hours_are_forgotten_after_a_week(convex: ConvexServer, convex_store: ConvexStore) -> None:
    hour = {"span": "hour", "shard": 0, "counts": {"turns": 1}}
    convex.insert("figures", [{**hour, "period": f"2020-01-01T{at:02}"} for at in range(24)])
    convex.insert("figures", [{**hour, "span": "day", "period": "2020-01-01"}])
    convex.insert("figures", [{**hour, "period": "2999-01-01T00"}])

    convex.call("mutation", "maintenance:forgetFigures", {})
    convex.settle()

    assert [each["period"] for each in convex.documents("figures")] == [
        "2020-01-01",
        "2999-01-01T00",
    ]
