"""The link to Redis: what it costs those who use it that Redis is late, frozen or gone."""

import logging
import time

import pytest

from app.bus.redis_connection import RedisAway, RedisLink
from tests.clock import Clock
from tests.servers.redis import RedisServer

pytestmark = pytest.mark.redis

COUNT = "return redis.call('INCRBY', KEYS[1], ARGV[1])"
RETRY_S = 2.0
MOST_S = 0.5


@pytest.fixture
def link(own_redis: RedisServer, clock: Clock) -> RedisLink:
    return RedisLink(own_redis.url, retry_s=RETRY_S, clock=clock)


def test_script_runs_with_keys_and_arguments(own_redis: RedisServer, link: RedisLink) -> None:
    own_redis.start()
    count = link.script(COUNT)

    assert [count(["k"], [2]), count(["k"], [3])] == [2, 5]
    assert not link.is_away


def test_redis_that_starts_late_is_found(
    own_redis: RedisServer, link: RedisLink, clock: Clock
) -> None:
    count = link.script(COUNT)
    with pytest.raises(RedisAway):
        count(["k"], [1])
    own_redis.start()

    with pytest.raises(RedisAway):  # nobody asks yet
        count(["k"], [1])
    clock.advance(RETRY_S)

    assert count(["k"], [1]) == 1
    assert not link.is_away


def test_frozen_redis_costs_one_request_one_timeout(
    own_redis: RedisServer, link: RedisLink, clock: Clock
) -> None:
    own_redis.start()
    count = link.script(COUNT)
    count(["k"], [1])
    own_redis.freeze()

    took_s = []
    for _ in range(100):
        began_at = time.monotonic()
        with pytest.raises(RedisAway):
            count(["k"], [1])
        took_s.append(time.monotonic() - began_at)

    assert took_s[0] < MOST_S
    assert sum(took_s[1:]) < 0.1
    own_redis.thaw()
    clock.advance(RETRY_S)
    assert count(["other"], [1]) == 1


def test_a_connection_that_is_never_answered_costs_one_timeout(
    own_redis: RedisServer, link: RedisLink
) -> None:
    own_redis.start().freeze()
    began_at = time.monotonic()

    with pytest.raises(RedisAway):
        link.script(COUNT)(["k"], [1])

    assert time.monotonic() - began_at < MOST_S


def test_restarted_redis_is_used_again_at_the_first_try(
    own_redis: RedisServer, link: RedisLink, clock: Clock
) -> None:
    own_redis.start()
    count = link.script(COUNT)
    count(["k"], [5])
    own_redis.restart()

    # A connection that died while nobody used it, and a script it forgot.
    assert count(["k"], [1]) == 1


def test_outage_is_logged_once_and_so_is_its_end(
    own_redis: RedisServer, link: RedisLink, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app.bus.redis_connection")
    count = link.script(COUNT)
    for _ in range(3):
        with pytest.raises(RedisAway):
            count(["k"], [1])
        clock.advance(RETRY_S)
    own_redis.start()
    count(["k"], [1])

    assert [record.getMessage() for record in caplog.records] == [
        (
            "Redis does not answer (ConnectionError): limits and budgets are kept in this worker's "
            "memory"
        ),
        "Redis answers again",
    ]


def test_error_of_a_script_is_an_outage_too(own_redis: RedisServer, link: RedisLink) -> None:
    own_redis.start()

    with pytest.raises(RedisAway):
        link.script("return redis.call('NO SUCH COMMAND')")([], [])


def test_names_need_the_secret() -> None:
    one, other = (RedisLink("redis://nowhere", name_key=key) for key in (b"one", b"other"))

    assert one.hide("192.0.2.1") == one.hide("192.0.2.1") != other.hide("192.0.2.1")
