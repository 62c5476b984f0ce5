"""What Redis is told of visitors: no address, no session, nothing that leads back to one."""

import json
from typing import TYPE_CHECKING

import pytest

from app.bus.redis_connection import RedisLink
from tests.data import ADMIN_KEY, WIDGET_KEY
from tests.servers.redis import RedisServer

if TYPE_CHECKING:
    from tests.conftest import MakeApp

pytestmark = pytest.mark.redis

ADDRESSES = ("198.51.100.23", "2001:db8:77:88::99")
SECRET = "a-secret-of-the-tests-of-redis"


def everything_in(redis: RedisServer) -> str:
    with redis.client() as client:
        kept = {
            key: client.hgetall(key) if client.type(key) == "hash" else client.get(key)
            for key in client.scan_iter()
        }
    return json.dumps(kept)


def test_no_address_and_no_session_is_written_to_redis(
    redis: RedisServer, make_app: "MakeApp"
) -> None:
    app = make_app(REDIS_URL=redis.url, SECRET_KEY=SECRET, DASHBOARD_PASSWORD="open sesame 123")
    for address in ADDRESSES:
        client = app.test_client()
        client.environ_base["REMOTE_ADDR"] = address
        opened = client.post("/v1/session", json={}, headers={"x-api-key": WIDGET_KEY}).json
        client.post(
            "/v1/chat",
            json={"message": "Hi"},
            headers={"x-api-key": WIDGET_KEY, "Authorization": f"Bearer {opened['token']}"},
        )
        client.get("/v1/admin/stats", headers={"x-admin-api-key": f"not-{ADMIN_KEY}"})

        kept = everything_in(redis)
        assert opened["sessionId"] not in kept
        assert address not in kept

    assert "2001:db8" not in kept
    for kind in ("limit:chat/", "limit:new-sessions/", "limit:wrong-admin-key/", "client:"):
        assert kind in kept


def test_names_need_the_secret() -> None:
    one, other = (RedisLink("redis://nowhere", name_key=key) for key in (b"one", b"other"))

    assert one.hide("192.0.2.1") == one.hide("192.0.2.1") != other.hide("192.0.2.1")
