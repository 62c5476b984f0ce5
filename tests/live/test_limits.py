"""The rate limit: who is counted, where, and what a refused visitor is told."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live.eventually import eventually
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.redis import running_redis

pytestmark = pytest.mark.sqlite  # no store counts visitors

PAGE = "https://page.test"


def ask(server: Server, **headers: str) -> int:
    body = {"sessionId": "s-1", "message": "Hi"}
    return server.request("POST", "/v1/chat", body, **headers).status


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with running_redis() as url:
        yield url


def test_a_limited_visitor_is_told_when_to_come_back() -> None:
    with Server(RATE_LIMIT_MAX_REQUESTS="1", CORS_ORIGIN=PAGE) as server:
        ask(server)

        answer = server.request("POST", "/v1/chat", {}, origin=PAGE)

    assert answer.status == 429
    assert answer.json == {
        "error": "Too many requests",
        "code": "too_many_requests",
        "requestId": answer.headers["X-Request-Id"],
    }
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


def test_only_chats_count_and_count_before_the_key() -> None:
    with Server(RATE_LIMIT_MAX_REQUESTS="3") as server:
        for path in ("/health", "/ready", "/v1/openapi.json", "/v1/admin/conversations"):
            assert server.request("GET", path).status in (200, 401)

        statuses = [ask(server) for _ in range(5)]

    assert statuses == [401, 401, 401, 429, 429]


@pytest.mark.parametrize("path", ["/chat", "/v1/chat", "/v1/chat/stream"])
def test_the_chat_routes_share_one_limit(path: str) -> None:
    with Server(RATE_LIMIT_MAX_REQUESTS="2") as server:
        statuses = [server.request("POST", each, {}).status for each in (path, "/v1/chat", "/chat")]

    assert statuses == [401, 401, 429]


def test_a_made_up_address_is_no_way_around() -> None:
    with Server(RATE_LIMIT_MAX_REQUESTS="2") as server:
        statuses = [
            ask(server, x_forwarded_for=f"1.2.3.{n}", x_real_ip=f"1.2.3.{n}", forwarded=f"for={n}")
            for n in range(4)
        ]

    assert statuses == [401, 401, 429, 429]


def test_behind_one_proxy_its_last_hop_counts() -> None:
    with Server(RATE_LIMIT_MAX_REQUESTS="1", TRUSTED_PROXY_HOPS="1") as server:
        one = [ask(server, x_forwarded_for=f"9.9.9.{n}, 1.2.3.4") for n in range(2)]
        other = ask(server, x_forwarded_for="1.2.3.4, 5.6.7.8")

    assert (one, other) == ([401, 429], 401)


def test_an_ipv6_visitor_counts_by_network() -> None:
    with Server(RATE_LIMIT_MAX_REQUESTS="1", CLIENT_IP_HEADER="Fly-Client-IP") as server:
        one = [ask(server, fly_client_ip=f"2001:db8:1:1::{n}") for n in range(2)]
        other = ask(server, fly_client_ip="2001:db8:1:2::1")

    assert (one, other) == ([401, 429], 401)


@pytest.mark.redis
def test_two_workers_share_a_limit_through_redis(redis_url: str) -> None:
    shared = {"WEB_CONCURRENCY": "2", "RATE_LIMIT_MAX_REQUESTS": "10", "REDIS_URL": redis_url}
    with Server(**shared) as server, ThreadPoolExecutor(8) as pool:
        eventually(lambda: len(server.workers) == 2)

        statuses = list(pool.map(lambda _: ask(server), range(40)))

    assert sorted(statuses) == [401] * 10 + [429] * 30


@pytest.mark.redis
def test_two_servers_share_a_limit_through_redis(redis_url: str) -> None:
    # The key under which Redis knows a client is made with it.
    shared = {"RATE_LIMIT_MAX_REQUESTS": "3", "CLIENT_IP_HEADER": "X-IP", "REDIS_URL": redis_url}
    shared["SECRET_KEY"] = "a-secret-that-both-machines-share"
    with Server(**shared) as first, Server(**shared) as second:
        statuses = [ask((first, second)[n % 2], x_ip="7.7.7.7") for n in range(5)]

    assert statuses == [401, 401, 401, 429, 429]


@pytest.mark.redis
def test_without_its_redis_a_server_still_limits(upstream: object) -> None:
    with running_redis() as url:
        server = Server(RATE_LIMIT_MAX_REQUESTS="2", REDIS_URL=url)
        server.start()
        server.wait_until_healthy()
    try:
        answers = [server.request("POST", "/v1/chat", {}, x_api_key=WIDGET_KEY) for _ in range(6)]
    finally:
        server.kill()

    assert [answer.status for answer in answers].count(429) >= 2
    assert {answer.status for answer in answers} <= {400, 429}
    assert max(answer.took_s for answer in answers) < 0.6
