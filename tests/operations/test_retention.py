"""The daily purge: who does it, how often, and what becomes of it when somebody fails."""

import logging

import pytest

from app.domain.conversation import PurgedBatch
from app.domain.errors import StorageUnavailable
from app.operations.retention import Retention
from app.storage.protocol import ConversationStore
from tests.clock import Clock
from tests.data import a_question, an_answer

MANY = 45


class Due:
    """A store with so many batches to purge, each of which takes a second."""

    def __init__(self, clock: Clock, batches: int = 3) -> None:
        self.clock = clock
        self.batches = batches
        self.holders: list[str] = []
        self.ended: list[str] = []
        self.is_away = False

    def begin_job(self, _name: str, holder: str, *, lease_s: float, every_s: float) -> bool:
        assert 0 < lease_s < every_s
        self.holders.append(holder)
        return len(set(self.holders)) == 1

    def end_job(self, _name: str, holder: str) -> None:
        self.ended.append(holder)

    def purge(self, *, unused_days: int) -> PurgedBatch:
        assert unused_days == 30
        if self.is_away:
            raise StorageUnavailable
        self.clock.advance(1)
        self.batches -= 1
        return PurgedBatch(2, has_more=self.batches > 0)


def a_retention(store: object, clock: Clock, pauses: list[float] | None = None) -> Retention:
    def sleep(seconds: float) -> None:
        if pauses is not None:
            pauses.append(seconds)
        clock.advance(seconds)

    return Retention(store, 30, sleep=sleep, clock=clock)  # type: ignore[arg-type]


def test_purge_pauses_four_times_as_long_as_it_works(clock: Clock) -> None:
    pauses: list[float] = []

    a_retention(Due(clock), clock, pauses).run()

    assert pauses == [4.0, 4.0]


def test_log_tells_the_count_in_one_line(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        a_retention(Due(clock), clock).run()

    assert caplog.messages == ["Deleted 6 conversations that were unused for 30 days"]


def test_lease_is_prolonged_while_it_goes_on(clock: Clock) -> None:
    store = Due(clock, batches=100)

    a_retention(store, clock).run()

    assert len(store.holders) > 100 * 5 / 60
    assert len(store.ended) == 1


def test_whoever_lost_the_lease_stops(clock: Clock) -> None:
    store = Due(clock, batches=1000)
    retention = a_retention(store, clock)
    begin = store.begin_job

    def begin_once(name: str, holder: str, *, lease_s: float, every_s: float) -> bool:
        begin(name, holder, lease_s=lease_s, every_s=every_s)
        return len(store.holders) == 1

    store.begin_job = begin_once  # type: ignore[method-assign]
    retention.run()

    assert store.batches > 900


def test_a_long_backlog_goes_on_the_next_day(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    store = Due(clock, batches=10**6)
    begun_at = clock.now_s

    with caplog.at_level(logging.INFO):
        a_retention(store, clock).run()

    assert clock.now_s - begun_at < 3700
    assert store.ended
    assert "goes on tomorrow" in caplog.text


def test_a_store_that_goes_away_leaves_the_rest_to_the_next(clock: Clock) -> None:
    store = Due(clock)
    store.is_away = True

    with pytest.raises(StorageUnavailable):
        a_retention(store, clock).run()
    assert store.ended == []


def test_the_watch_outlives_a_store_that_is_away(clock: Clock) -> None:
    class Over(BaseException):
        pass

    store = Due(clock)
    store.is_away = True
    slept = 0

    def sleep(seconds: float) -> None:
        nonlocal slept
        slept += 1
        store.is_away = slept < 3
        if slept > 10:
            raise Over

    with pytest.raises(Over):
        Retention(store, 30, sleep=sleep, clock=clock).watch()  # type: ignore[arg-type]

    assert store.ended


def test_of_several_workers_one_purges_and_once_a_day(store: ConversationStore) -> None:
    for number in range(MANY):
        turn = store.begin_turn(
            a_question(session_id=f"session-{number}"), history_limit=1, lease_s=60
        )
        store.finish_turn(turn, an_answer())
    workers = [Retention(_Later(store), 30, sleep=lambda _s: None) for _ in range(3)]  # type: ignore[arg-type]

    deleted = [worker.run() for worker in workers + workers]

    assert deleted == [MANY, 0, 0, 0, 0, 0]
    assert store.list_conversations(limit=1).total == 0


class _Later:
    """The store in some weeks: everything in it is old."""

    def __init__(self, store: ConversationStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def purge(self, *, unused_days: int) -> PurgedBatch:
        assert unused_days == 30
        return self._store.purge(unused_days=-1)
