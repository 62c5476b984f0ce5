"""Signing out at the dashboard, on the real server: for all workers, and after a restart."""

import re
from pathlib import Path
from urllib.parse import urlencode

from tests.live.exchange import Answer
from tests.servers.perch import Server
from tests.servers.upstream import Upstream

PASSWORD = "open sesame 123"
FORM = "application/x-www-form-urlencoded"
# Enough connections for each of the workers to be met.
REPLAYS = 24


def token_in(page: Answer) -> str:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', page.body.decode())
    assert found is not None
    return found[1]


def cookies_in(answer: Answer) -> str:
    pairs = [line.split(";")[0] for line in answer.headers.get_all("Set-Cookie", [])]
    return "; ".join(pair for pair in pairs if not pair.endswith("="))


def post(server: Server, path: str, cookie: str, **fields: str) -> Answer:
    body = urlencode(fields).encode()
    return server.request("POST", path, body, cookie=cookie, content_type=FORM)


def statuses(server: Server, cookie: str) -> set[int]:
    path = "/dashboard/settings"
    return {server.request("GET", path, cookie=cookie).status for _ in range(REPLAYS)}


def test_a_sign_out_holds_on_every_worker_and_after_a_restart(
    upstream: Upstream, tmp_path: Path
) -> None:
    with Server.over(
        upstream, tmp_path, WEB_CONCURRENCY="2", DASHBOARD_PASSWORD=PASSWORD
    ) as server:
        form = server.request("GET", "/dashboard/login")
        entered = post(
            server, "/dashboard/login", cookies_in(form), password=PASSWORD, token=token_in(form)
        )
        cookie = cookies_in(entered)
        before = statuses(server, cookie)

        page = server.request("GET", "/dashboard/settings", cookie=cookie)
        post(server, "/dashboard/logout", cookie, token=token_in(page))
        after = statuses(server, cookie)

        server.kill()
        server.start()
        server.wait_until_healthy()
        assert (before, after, statuses(server, cookie)) == ({200}, {302}, {302})
