"""What Redis is told of visitors: no address, no session, nothing that leads back to one."""

import json

import pytest

from tests.servers.perch import NO_LIMITS, WIDGET_KEY, Server
from tests.servers.redis import RedisServer
from tests.servers.upstream import Upstream

pytestmark = [pytest.mark.redis, pytest.mark.sqlite]  # no store is told of Redis

ADDRESSES = ("198.51.100.23", "2001:db8:77:88::99")


def everything_in(redis: RedisServer) -> str:
    with redis.client() as client:
        kept = {
            key: client.hgetall(key) if client.type(key) == "hash" else client.get(key)
            for key in client.scan_iter()
        }
    return json.dumps(kept)


def test_no_address_and_no_session_is_written_to_redis(
    redis: RedisServer, upstream: Upstream
) -> None:
    settings = {**dict.fromkeys(NO_LIMITS, "100000"), "CLIENT_IP_HEADER": "X-IP"}
    with Server.over(upstream, REDIS_URL=redis.url, **settings) as server:
        for address in ADDRESSES:
            visitor = {"X-Api-Key": WIDGET_KEY, "X-IP": address}
            opened = server.request("POST", "/v1/session", {}, **visitor).json
            token = {"Authorization": f"Bearer {opened['token']}"}
            server.request("POST", "/v1/chat", {"message": "Hi"}, **visitor, **token)
            wrong = {"X-Admin-Api-Key": "a guess", "X-IP": address}
            server.request("GET", "/v1/admin/stats", **wrong)

            kept = everything_in(redis)
            assert opened["sessionId"] not in kept
            assert address not in kept

    assert "2001:db8" not in kept
    for kind in ("limit:chat/", "limit:new-sessions/", "limit:wrong-admin-key/", "client:"):
        assert kind in kept
