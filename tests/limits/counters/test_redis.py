"""Limits shared through Redis: they hold between workers, and whatever becomes of Redis."""

import pytest

from app.bus.redis_connection import RedisLink
from app.limits.counters.protocol import Counter
from app.limits.counters.redis import RedisCounters
from app.limits.storage import CounterStorage
from tests.clock import Clock
from tests.servers.redis import RedisServer

pytestmark = pytest.mark.redis

RETRY_S = 2.0
MINUTE = Counter("minute/a", 60, limit=10)
DAY = Counter("day/a", 86_400, limit=100)
# What Redis knows "a" by.
A = RedisLink("redis://nowhere").hide("a")


def worker(server: RedisServer, clock: Clock) -> RedisCounters:
    return RedisCounters(RedisLink(server.url, retry_s=RETRY_S, clock=clock))


def let_through(workers: list[RedisCounters], tries: int) -> int:
    return sum(workers[n % len(workers)].take([MINUTE, DAY]) is None for n in range(tries))


def test_workers_share_a_window(redis: RedisServer, clock: Clock) -> None:
    workers = [worker(redis, clock) for _ in range(3)]

    assert let_through(workers, 30) == 10


def test_refused_hit_is_not_counted_in_the_next_window(redis: RedisServer, clock: Clock) -> None:
    counters = worker(redis, clock)
    let_through([counters], 30)

    assert counters.known(DAY)[0] == 10
    hits, left_s = counters.known(MINUTE)
    assert hits == 30
    assert 59 < left_s <= 60


def test_window_ends_in_redis_too(redis: RedisServer, clock: Clock) -> None:
    counters = worker(redis, clock)
    counters.take([MINUTE, DAY])

    with redis.client() as client:
        left_ms = {key: client.pttl(key) for key in client.scan_iter()}

    assert 59_000 < left_ms[f"{{perch}}:limit:minute/{A}"] <= 60_000
    assert 86_399_000 < left_ms[f"{{perch}}:limit:day/{A}"] <= 86_400_000


def test_late_redis_learns_what_was_counted_without_it(
    own_redis: RedisServer, clock: Clock
) -> None:
    counters = worker(own_redis, clock)
    before = let_through([counters], 7)
    own_redis.start()
    clock.advance(RETRY_S)

    assert (before, let_through([counters], 10)) == (7, 3)
    assert let_through([worker(own_redis, clock)], 10) == 0


def test_stopped_redis_opens_nothing(own_redis: RedisServer, clock: Clock) -> None:
    own_redis.start()
    workers = [worker(own_redis, clock) for _ in range(2)]
    assert let_through(workers, 10) == 10

    own_redis.stop()

    # One knows of nine hits, the other of ten.
    assert let_through(workers, 20) <= 1


@pytest.mark.parametrize("freeze", [True, False], ids=["frozen", "restarted"])
def test_outage_in_the_middle_opens_nothing(
    own_redis: RedisServer, clock: Clock, *, freeze: bool
) -> None:
    own_redis.start()
    workers = [worker(own_redis, clock) for _ in range(2)]
    before = let_through(workers, 8)
    if freeze:
        own_redis.freeze()
    else:
        own_redis.stop()
    during = let_through(workers, 8)
    if freeze:
        own_redis.thaw()
    else:
        own_redis.start()
    clock.advance(RETRY_S)
    after = let_through(workers, 20)

    # Alone, one worker lets three more through, and the other two.
    assert (before, during, after) == (8, 5, 0)


def test_redis_that_lost_its_data_learns_it_from_the_workers(
    redis: RedisServer, clock: Clock
) -> None:
    workers = [worker(redis, clock) for _ in range(2)]
    before = let_through(workers, 8)

    with redis.client() as client:
        client.flushall()

    assert before + let_through(workers, 20) == 11  # the first to tell knew of one hit less


def test_the_library_counts_by_it_too(redis: RedisServer, clock: Clock) -> None:
    one, other = (CounterStorage(counters=worker(redis, clock)) for _ in range(2))

    assert [one.incr("sign-in/a", 300), other.incr("sign-in/a", 300, amount=2)] == [1, 3]
    assert other.get("sign-in/a") == 3
    assert one.check()


def test_a_window_that_an_earlier_version_opened_goes_on(redis: RedisServer, clock: Clock) -> None:
    with redis.client() as client:
        client.set(f"{{perch}}:limit:minute/{A}", 8, px=30_000)
    counters = worker(redis, clock)

    assert let_through([counters], 5) == 2
    assert 0 < counters.known(MINUTE)[1] <= 30
