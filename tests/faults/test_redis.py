"""Redis in trouble: visitors are answered in time, limits hold, nobody else notices.

What the limits do meanwhile is ``tests/live/test_redis_trouble.py``'s business.
"""

from collections.abc import Iterator

import pytest

from tests.faults.conftest import DEADLINES, Elsewhere
from tests.live.eventually import eventually
from tests.servers.detour import Detour, Mode
from tests.servers.planted_server import PlantedServer
from tests.servers.redis import RedisServer
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import words

pytestmark = pytest.mark.redis

REDIS_TIMEOUT_S = 0.25
BUSY_MACHINE_S = 1.0

# What becomes of Redis' replies → how long one answer may take because of it.
TROUBLE: list[tuple[str, Mode, float, float]] = [
    ("is slow", "late", 0.05, 8 * 0.05),
    ("is too slow", "late", 1.0, REDIS_TIMEOUT_S),
    ("is a black hole", "hole", 0.0, REDIS_TIMEOUT_S),
    ("cuts its replies", "cut", 0.0, 0.0),
    ("talks nonsense", "garble", 0.0, 0.0),
    ("refuses", "refuse", 0.0, 0.0),
]


@pytest.fixture(scope="module")
def detour() -> Iterator[Detour]:
    with RedisServer() as redis, Detour(redis.start().port) as detour:
        yield detour


@pytest.fixture(scope="module")
def limited(session_upstream: Upstream, detour: Detour) -> Iterator[PlantedServer]:
    settings = {
        "REDIS_URL": f"redis://127.0.0.1:{detour.port}/0",
        "REDIS_TIMEOUT_S": str(REDIS_TIMEOUT_S),
        "REDIS_RETRY_S": "0.3",
        "BUDGET_TOKENS_PER_DAY": "100000000",
    }
    with PlantedServer.over(session_upstream, **settings, **DEADLINES) as server:
        server.warm_up()
        yield server
        assert server.tracebacks() == []


@pytest.mark.parametrize(
    ("claim", "mode", "delay_s", "wait_s"), TROUBLE, ids=[row[0] for row in TROUBLE]
)
def test_visitors_are_answered_while_redis_is_in_trouble(
    limited: PlantedServer,
    detour: Detour,
    upstream: Upstream,
    elsewhere: Elsewhere,
    claim: str,
    mode: Mode,
    delay_s: float,
    wait_s: float,
) -> None:
    upstream.script(tokens=3)
    with elsewhere(limited):
        detour.mode, detour.delay_s = mode, delay_s
        try:
            answers = [limited.chat("Hi") for _ in range(3)]
        finally:
            detour.mode = "pass"
        eventually(lambda: limited.chat("Hi").status == 200)

    assert [answer.json["message"] for answer in answers] == [words(3)] * 3
    assert max(answer.took_s for answer in answers) < wait_s + BUSY_MACHINE_S
