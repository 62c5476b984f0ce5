"""What is put beside a request: once, later where the store is away, and never in its way."""

from collections.abc import Callable

import gevent
import pytest

from app.domain.errors import StorageUnavailable
from app.notifications.outbox import Outbox
from tests.notifications.outbox import NOW_MS, NoticesInFile, Threads


class Flaky(NoticesInFile):
    """An outbox that is away for so many calls."""

    away = 0

    def put_notice(self, *args: object, **kwargs: object) -> None:
        if self.away:
            self.away -= 1
            raise StorageUnavailable
        super().put_notice(*args, **kwargs)  # type: ignore[arg-type]


@pytest.fixture
def kept(now: Callable[[], int], threads: Threads) -> Flaky:
    return Flaky(":memory:", now, threads)


@pytest.fixture
def outbox(kept: Flaky, threads: Threads) -> Outbox:
    return Outbox(
        threads,  # type: ignore[arg-type]
        kept,  # type: ignore[arg-type]
        clock=lambda: NOW_MS / 1000,
        sleep=lambda _seconds: gevent.sleep(0),
    )


def put(kept: Flaky) -> list[tuple[str, str | None, str | None]]:
    for _ in range(10):
        gevent.sleep(0)
    notices = reversed(kept.list_notices(limit=10))
    return [(each.type, each.conversation_id, each.message_id) for each in notices]


def test_of_a_day_it_is_told_once(outbox: Outbox, kept: Flaky) -> None:
    for assistant in ("default", "default", "sales"):
        outbox.tell_of_day("budget.warning", assistant)

    assert put(kept) == [("budget.warning", None, None)] * 2


def test_feedback_is_told_with_its_answer(outbox: Outbox, kept: Flaky) -> None:
    for rating in ("up", "up", "down"):
        outbox.tell_of_feedback("ps_session", "m1", rating)

    assert put(kept) == [("feedback.created", "c1", "m1")] * 2


@pytest.mark.parametrize(("away", "count"), [(3, 1), (4, 0)])
def test_where_the_store_is_away_it_is_put_a_little_later(
    outbox: Outbox, kept: Flaky, away: int, count: int
) -> None:
    kept.away = away

    outbox.tell_of_day("model.failing", "default")

    assert len(put(kept)) == count


def test_what_was_deleted_meanwhile_is_not_told(
    outbox: Outbox, kept: Flaky, threads: Threads
) -> None:
    threads.is_deleted = True

    outbox.tell_of_feedback("ps_session", "m1", "up")

    assert put(kept) == []
