"""A server under load while its Redis is late, freezes, restarts and stops."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.live.eventually import eventually
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.redis import RedisServer
from tests.servers.upstream import Upstream

pytestmark = [pytest.mark.redis, pytest.mark.sqlite]  # no store is told of Redis

LIMIT = 20
VISITORS = 6
WORKERS = 2
# What a request may wait for Redis: promised is half a second.
MOST_S = 0.5


class Crowd:
    """Visitors who ask all the time, each from an address of their own."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stop = threading.Event()
        self.answered: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.slowest_s = 0.0

    @contextmanager
    def asking(self) -> Iterator["Crowd"]:
        visitors = [threading.Thread(target=self._ask, args=(n,)) for n in range(VISITORS)]
        for visitor in visitors:
            visitor.start()
        try:
            yield self
        finally:
            self._stop.set()
            for visitor in visitors:
                visitor.join()

    def is_refused_everywhere(self) -> bool:
        """Whether all had their share, and every worker must have heard of it."""
        return self.statuses[429] >= 20 * VISITORS

    def watch(self, seconds: float) -> float:
        """Return how long the slowest request took that ended within these seconds."""
        self.slowest_s = 0.0
        self._stop.wait(seconds)
        return self.slowest_s

    def _ask(self, number: int) -> None:
        address = f"10.0.0.{number}"
        while not self._stop.wait(0.02):
            body = {"sessionId": f"s-{number}", "message": "Hi"}
            answer = self._server.request(
                "POST", "/v1/chat", body, x_api_key=WIDGET_KEY, x_ip=address
            )
            self.slowest_s = max(self.slowest_s, answer.took_s)
            self.statuses[answer.status] += 1
            self.answered[address] += answer.status == 200


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def limited(upstream: Upstream, redis: RedisServer, **environment: str) -> Server:
    settings = {
        "REDIS_URL": redis.url,
        "WEB_CONCURRENCY": str(WORKERS),
        "CLIENT_IP_HEADER": "X-IP",
        "RATE_LIMIT_MAX_REQUESTS": str(LIMIT),
        "RATE_LIMIT_WINDOW_MS": "3600000",
        "BUDGET_TOKENS_PER_DAY": "10000000",
        "REDIS_RETRY_S": "0.5",
        **environment,
    }
    return Server.over(upstream, **settings)


def test_trouble_under_load_opens_no_limit_and_keeps_nobody_waiting(
    upstream: Upstream, redis: RedisServer
) -> None:
    upstream.script(tokens=1)
    redis.start()
    with limited(upstream, redis) as server:
        eventually(lambda: len(server.workers) == WORKERS)
        with Crowd(server).asking() as crowd:
            eventually(crowd.is_refused_everywhere, within_s=20)
            # A busy machine is slow by itself: what counts is what Redis adds.
            quiet_s = crowd.watch(1)
            redis.freeze()
            frozen_s = crowd.watch(1.5)
            redis.thaw()
            thawed_s = crowd.watch(1)
            redis.restart()
            restarted_s = crowd.watch(1)
            redis.stop()
            stopped_s = crowd.watch(1)
            redis.start()
            back_s = crowd.watch(1)

    slowest_s = max(frozen_s, thawed_s, restarted_s, stopped_s, back_s)
    assert slowest_s < MOST_S + quiet_s
    assert set(crowd.statuses) <= {200, 429}
    # The window is an hour, and all had their share of it before the trouble.
    assert set(crowd.answered.values()) == {LIMIT}


def test_late_redis_is_used_once_it_is_there(upstream: Upstream, redis: RedisServer) -> None:
    upstream.script(tokens=1)
    with limited(upstream, redis, RATE_LIMIT_MAX_REQUESTS="1000") as server:
        began_at = time.monotonic()
        assert server.chat("Hi").status == 200
        assert time.monotonic() - began_at < 5
        redis.start()

        def is_used() -> bool:
            server.chat("Hi")
            with redis.client() as client:
                return bool(client.keys("*limit:chat*") and client.keys("*budget*"))

        eventually(is_used)


def test_without_redis_the_budget_stays_almost_closed(
    upstream: Upstream, redis: RedisServer
) -> None:
    upstream.script(tokens=100)
    settings = {
        "BUDGET_TOKENS_PER_DAY": "10000",
        "MAX_OUTPUT_TOKENS": "100",
        "MAX_PROMPT_TOKENS": "200",
        "SYSTEM_PROMPT": "Be brief.",
        "RATE_LIMIT_MAX_REQUESTS": "1000",
        "WEB_CONCURRENCY": "1",
    }
    with limited(upstream, redis, **settings) as server:
        statuses = Counter(server.chat("Hi").status for _ in range(10))

    # 300 tokens, one turn as long as it may be: two short ones.
    assert statuses == {200: 2, 429: 8}
