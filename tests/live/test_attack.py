"""A crowd that wants to spend the owner's money: 1,000 addresses against a day's budget.

pytest tests/live/test_attack.py -s        prints the figures
"""

import contextlib
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.domain.conversation import PromptMessage
from app.limits.estimate import estimate_prompt
from bench.dialects import Dialect
from tests.doors import DOORS, code_of
from tests.live.eventually import eventually
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.redis import RedisServer
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import PROMPT_TOKENS

pytestmark = pytest.mark.sqlite  # no store counts what is spent

ADDRESSES = 1000
A_DOORS_ADDRESSES = 300  # enough for the budget
REQUESTS_AN_ADDRESS = 3
AT_ONCE = 32
MAX_OUTPUT_TOKENS = 200
BUDGET = 60_000
QUESTION = "Tell me everything you know."
RESERVATION = MAX_OUTPUT_TOKENS + estimate_prompt(
    [PromptMessage("system", "Be brief."), PromptMessage("user", QUESTION)]
)
# The server's time of day jumps a day ahead when the file is there.
NEXT_DAY = """
import os, time
_now, _flag = time.time, os.path.join(os.path.dirname(__file__), "next-day")
time.time = lambda: _now() + 86_400 * os.path.exists(_flag)
"""


WORKERS = ["one worker", pytest.param("two workers", marks=pytest.mark.redis)]


@pytest.fixture
def attacked(workers: str, upstream: Upstream, tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "sitecustomize.py").write_text(NEXT_DAY)
    settings = {
        "SYSTEM_PROMPT": "Be brief.",
        "MAX_OUTPUT_TOKENS": str(MAX_OUTPUT_TOKENS),
        "MAX_PROMPT_TOKENS": "1000",
        "BUDGET_TOKENS_PER_DAY": str(BUDGET),
        "RATE_LIMIT_MAX_REQUESTS": "2",
        "CLIENT_IP_HEADER": "X-IP",
        "STORAGE_TIMEOUT_S": "30",  # the crowd is to meet the budget, not a busy store
        "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}",
    }
    with contextlib.ExitStack() as stack:
        if workers == "two workers":
            redis = stack.enter_context(RedisServer())
            settings |= {"WEB_CONCURRENCY": "2", "REDIS_URL": redis.start().url}
        yield stack.enter_context(Server.over(upstream, tmp_path, **settings))


def ask(server: Server, client: str, session: str, door: Dialect = DOORS["json"]) -> str:
    body = door.body(session, QUESTION)
    answer = server.request("POST", door.path, body, x_api_key=WIDGET_KEY, x_ip=client)
    return "answered" if answer.status == 200 else code_of(answer.json)


def attack(server: Server, addresses: int, doors: Sequence[Dialect]) -> Counter[str]:
    """Ask from every address, more often than it may, in any order, at one of some doors."""
    chance = random.Random(4)
    askers = [f"10.9.{n // 250}.{n % 250}" for n in range(addresses)] * REQUESTS_AN_ADDRESS
    chance.shuffle(askers)
    asked = [(client, f"session-{client}", chance.choice(doors)) for client in askers]
    with ThreadPoolExecutor(AT_ONCE) as crowd:
        return Counter(crowd.map(lambda each: ask(server, *each), asked))


@pytest.mark.parametrize("workers", WORKERS)
def test_a_crowd_at_all_doors_spends_no_more_than_the_budget(
    attacked: Server, upstream: Upstream, request: pytest.FixtureRequest
) -> None:
    spends_no_more_than_the_budget(attacked, upstream, request, ADDRESSES, [*DOORS.values()])


@pytest.mark.parametrize("workers", WORKERS[:1])
@pytest.mark.parametrize("protocol", DOORS)
def test_a_crowd_at_one_door_spends_no_more_than_the_budget(
    attacked: Server, upstream: Upstream, request: pytest.FixtureRequest, protocol: str
) -> None:
    doors = [DOORS[protocol]]
    spends_no_more_than_the_budget(attacked, upstream, request, A_DOORS_ADDRESSES, doors)


def spends_no_more_than_the_budget(
    attacked: Server,
    upstream: Upstream,
    request: pytest.FixtureRequest,
    addresses: int,
    doors: Sequence[Dialect],
) -> None:
    # As long as it may be, and in few writes: the model must not be the slow one.
    upstream.script(tokens=["word "] * MAX_OUTPUT_TOKENS, batch=MAX_OUTPUT_TOKENS)
    before = ask(attacked, "192.0.2.1", "s-visitor")

    heard = attack(attacked, addresses, doors)

    asked = len(upstream.requests) * (PROMPT_TOKENS + MAX_OUTPUT_TOKENS)
    refused = ask(attacked, "192.0.2.1", "s-visitor")
    (attacked.directory / "next-day").touch()
    eventually(lambda: ask(attacked, "192.0.2.2", "s-visitor") == "answered")
    with capsys_off(request):
        print(
            f"\n{request.node.callspec.id}: {addresses} addresses, {sum(heard.values())} requests:"
            f" {asked} tokens asked of the model, of a budget of {BUDGET}"
            f" ({asked / BUDGET:.1%}); {dict(heard)}"
        )
    assert asked <= BUDGET + AT_ONCE * RESERVATION
    assert asked >= 0.9 * BUDGET
    assert (before, refused) == ("answered", "budget_exhausted")
    assert set(heard) <= {"answered", "budget_exhausted", "too_many_requests", "turn_in_progress"}


def capsys_off(request: pytest.FixtureRequest) -> contextlib.AbstractContextManager[None]:
    """Print past pytest's capture: the figure is part of the result."""
    manager = request.config.pluginmanager.getplugin("capturemanager")
    assert manager is not None
    disabled: contextlib.AbstractContextManager[None] = manager.global_and_fixture_disabled()
    return disabled
