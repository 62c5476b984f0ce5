"""The budget shared through Redis: never exceeded by workers together, never open without it."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from app.bus.redis_connection import RedisLink
from app.domain.errors import StorageUnavailable
from app.limits.ledger import AccountFull
from app.limits.redis_ledger import OFFLINE_SHARE, RedisLedger
from tests.clock import Clock
from tests.limits.ledgers import DAY, SERVICE, Books, LedgerMachine, accounts_of
from tests.servers.redis import RedisServer

pytestmark = pytest.mark.redis

RETRY_S = 2.0
ONE_TURN = 60
ALLOWANCE = max(SERVICE.limit // OFFLINE_SHARE, ONE_TURN)
JANE = accounts_of("10.0.0.1", "s-1")
JOHN = accounts_of("10.0.0.2", "s-2")


def worker(
    server: RedisServer, clock: Clock, recorded: Callable[[str], int] = lambda _day: 0
) -> RedisLedger:
    return RedisLedger(RedisLink(server.url, retry_s=RETRY_S, clock=clock), recorded, ONE_TURN)


def spend(ledgers: Sequence[RedisLedger], tokens: int = 20, tries: int = 100) -> int:
    """Let many visitors spend, one turn each; return how much they could."""
    books = Books()
    for number in range(tries):
        people = (f"10.1.0.{number}", f"s-{number}")
        books.hold(ledgers[number % len(ledgers)], people, tokens)
    return books.spent[SERVICE]


def in_redis(account: str) -> str:
    """The name under which Redis keeps an account: no address, and no session's id."""
    kind, _, who = account.partition(":")
    return f"{kind}:{RedisLink('redis://nowhere').hide(who)}" if who else kind


def machine_over(server: RedisServer) -> type[LedgerMachine]:
    """Two workers, in any order of holds, extensions and settlements."""

    class TwoWorkers(LedgerMachine):
        def __init__(self) -> None:
            with server.client() as client:
                client.flushall()
            super().__init__(*(worker(server, Clock()) for _ in range(2)))

        @invariant()
        def redis_tells_the_truth(self) -> None:
            with server.client() as client:
                counts: dict[str, Any] = client.hgetall(f"{{perch}}:budget:{DAY}")
            for account, spent in self.books.spent.items():
                assert int(counts[in_redis(account.name)]) == spent

    return TwoWorkers


def test_two_workers_never_exceed_a_limit_together(redis: RedisServer) -> None:
    few = settings(
        max_examples=15,
        stateful_step_count=25,
        suppress_health_check=list(HealthCheck),
    )

    run_state_machine_as_test(machine_over(redis), settings=few)


def test_day_begins_with_what_the_store_recorded(redis: RedisServer, clock: Clock) -> None:
    ledger = worker(redis, clock, lambda _day: 900)

    with pytest.raises(AccountFull):
        ledger.hold(DAY, JANE, 101)

    assert ledger.hold(DAY, JANE, 100).tokens == 100
    assert ledger.spent(DAY, SERVICE) == 1000


def test_without_redis_and_figures_nothing_is_let_through(
    own_redis: RedisServer, clock: Clock
) -> None:
    def unknown(_day: str) -> int:
        raise StorageUnavailable

    with pytest.raises(StorageUnavailable):
        worker(own_redis, clock, unknown).hold(DAY, JANE, 10)


def test_without_redis_a_worker_spends_a_small_allowance(
    own_redis: RedisServer, clock: Clock
) -> None:
    assert spend([worker(own_redis, clock)]) == ALLOWANCE


def test_allowance_ends_at_the_budget(own_redis: RedisServer, clock: Clock) -> None:
    ledger = worker(own_redis, clock, lambda _day: SERVICE.limit - 30)

    assert spend([ledger]) == 20


def test_outage_leaves_an_allowance_beyond_what_was_spent(
    own_redis: RedisServer, clock: Clock
) -> None:
    own_redis.start()
    ledgers = [worker(own_redis, clock) for _ in range(2)]
    spend(ledgers, tries=10)
    own_redis.stop()

    assert spend(ledgers) == len(ledgers) * ALLOWANCE


def test_one_who_spent_a_share_gets_no_other_in_an_outage(
    own_redis: RedisServer, clock: Clock
) -> None:
    own_redis.start()
    ledger = worker(own_redis, clock)
    ledger.hold(DAY, JANE, JANE[2].limit)
    own_redis.stop()

    with pytest.raises(AccountFull) as full:
        ledger.hold(DAY, JANE, 1)

    assert full.value.account == JANE[2]


@pytest.mark.parametrize("freeze", [True, False], ids=["frozen", "restarted"])
def test_what_was_spent_in_an_outage_is_told_after_it(
    own_redis: RedisServer, clock: Clock, *, freeze: bool
) -> None:
    own_redis.start()
    ledger = worker(own_redis, clock)
    before = ledger.hold(DAY, JANE, 200)
    if freeze:
        own_redis.freeze()
    else:
        own_redis.stop()
    ledger.hold(DAY, JOHN, 30)
    ledger.settle(before, 50)
    if freeze:
        own_redis.thaw()
    else:
        own_redis.start()
    clock.advance(RETRY_S)
    after = ledger.hold(DAY, JOHN, 5)

    # Frozen, it may also have taken what nobody waited for: that errs on the side of spent.
    spent = ledger.spent(DAY, SERVICE)
    assert 50 + 30 + after.tokens <= spent <= 50 + 30 + after.tokens + (30 if freeze else 0)


def test_settlements_alone_end_an_outage(own_redis: RedisServer, clock: Clock) -> None:
    own_redis.start()
    ledger = worker(own_redis, clock)
    hold = ledger.hold(DAY, JANE, 300)
    own_redis.restart()

    ledger.settle(hold, 120)

    with own_redis.client() as client:
        assert client.hget(f"{{perch}}:budget:{DAY}", SERVICE.name) == "120"


def test_redis_that_lost_its_data_is_told_by_every_worker(redis: RedisServer, clock: Clock) -> None:
    ledgers = [worker(redis, clock) for _ in range(2)]
    before = spend(ledgers, tries=30)
    with redis.client() as client:
        client.flushall()

    assert before == 600
    assert before + spend(ledgers) <= SERVICE.limit + 20


def test_restarted_service_and_redis_begin_with_the_stores_figures(
    redis: RedisServer, clock: Clock
) -> None:
    spend([worker(redis, clock)], tries=30)
    with redis.client() as client:
        client.flushall()

    assert spend([worker(redis, clock, lambda _day: 600)]) == 400


def test_redis_that_is_full_is_as_good_as_none(redis: RedisServer, clock: Clock) -> None:
    ledger = worker(redis, clock)
    with redis.client() as client:
        client.config_set("maxmemory", "1mb")
        try:
            spent = spend([ledger])
        finally:
            client.config_set("maxmemory", "0")

    assert spent == ALLOWANCE


def test_yesterdays_holds_do_not_reach_today(redis: RedisServer, clock: Clock) -> None:
    ledger = worker(redis, clock)
    yesterday = ledger.hold("2026-11-21", JANE, 300)
    ledger.hold(DAY, JANE, 100)

    ledger.settle(yesterday, 0)

    assert ledger.spent(DAY, SERVICE) == 100
    assert ledger.extend(yesterday, 50).tokens == 350


def test_counts_are_kept_for_two_days(redis: RedisServer, clock: Clock) -> None:
    worker(redis, clock).hold(DAY, JANE, 100)

    with redis.client() as client:
        assert 86_400 < client.ttl(f"{{perch}}:budget:{DAY}") <= 172_800


def test_a_day_that_an_earlier_version_began_goes_on(redis: RedisServer, clock: Clock) -> None:
    with redis.client() as client:
        kept = {"epoch": "0011223344556677", "service": 900, in_redis(JANE[1].name): 350}
        client.hset(f"{{perch}}:budget:{DAY}", mapping=kept)
    ledger = worker(redis, clock)

    with pytest.raises(AccountFull) as full:
        ledger.hold(DAY, JANE, 101)

    assert full.value.account == SERVICE
    ledger.hold(DAY, JANE, 60)
    assert [ledger.spent(DAY, account) for account in JANE] == [960, 410, 60]
