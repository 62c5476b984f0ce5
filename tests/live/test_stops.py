"""Stops that reach the turn's own process, whichever process was asked."""

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from signal import SIGTERM

import pytest
from redis import Redis

from tests.live.eventually import eventually
from tests.live.turns import STOP, TURN, ask, asleep, history, open_session, stream
from tests.servers.perch import ADMIN_KEY, Server
from tests.servers.redis import running_redis
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import WORDS

WITHIN_S = 1.0
STOPPED_WITHIN_S = 20.0
DELETE = ("DELETE", "/v1/session")


def test_stop_in_the_turns_own_worker(server: Server, upstream: Upstream) -> None:
    upstream.script(fault="stall", at=2)
    session = open_session(server)
    chat = stream(server, session)

    answer = ask(server, session, STOP)

    assert (answer.status, answer.json) == (202, {"turnId": TURN})
    assert upstream.wait_for_request().left(within_s=WITHIN_S)
    done = chat.events()[-1]
    assert (done["type"], done["finishReason"]) == ("done", "stopped")
    stored = history(server, session)[1]
    assert (stored["_id"], stored["content"]) == (done["messageId"], "".join(WORDS[:2]))
    assert stored["status"] == "partial"


@pytest.mark.parametrize(("asked", "last"), [(STOP, "done"), (DELETE, "error")])
def test_other_worker_passes_it_on(
    two_workers: Server, upstream: Upstream, asked: tuple[str, str], last: str
) -> None:
    upstream.script(fault="stall", at=2)
    mine, other = two_workers.workers
    session = open_session(two_workers)
    with asleep(other):
        chat = stream(two_workers, session)

    with asleep(mine):
        answer = ask(two_workers, session, asked)
    woken_at = time.monotonic()

    assert answer.status in (202, 204)
    assert upstream.wait_for_request().left(within_s=WITHIN_S)
    assert time.monotonic() - woken_at < WITHIN_S
    assert chat.events()[-1]["type"] == last


@pytest.mark.parametrize(
    "path",
    ["/v1/admin/conversations/{_id}", "/v1/admin/conversations?sessionId={sessionId}"],
)
def test_deletion_by_the_operator_stops_it_in_the_other_worker(
    two_workers: Server, upstream: Upstream, path: str
) -> None:
    upstream.script(fault="stall", at=2)
    mine, other = two_workers.workers
    session = open_session(two_workers)
    with asleep(other):
        chat = stream(two_workers, session)
    (running,) = two_workers.admin("/v1/admin/conversations?limit=1").json["conversations"]

    with asleep(mine):
        answer = two_workers.request("DELETE", path.format(**running), x_admin_api_key=ADMIN_KEY)

    assert answer.json == {"deleted": 1}
    assert upstream.wait_for_request().left(within_s=WITHIN_S)
    assert chat.events()[-1]["type"] == "error"


def test_worker_that_was_killed_does_not_hinder_the_others(
    two_workers: Server, upstream: Upstream
) -> None:
    upstream.script(tokens=1)
    for worker in two_workers.workers:  # both have run a turn, so both listen
        with asleep(worker):
            assert two_workers.chat("Hi").status == 200
    two_workers.kill_worker()
    eventually(lambda: len(two_workers.workers) == 2)
    upstream.reset()
    upstream.script(fault="stall", at=2)
    mine, other = two_workers.workers
    session = open_session(two_workers)
    with asleep(other):
        chat = stream(two_workers, session)

    with asleep(mine):
        ask(two_workers, session, STOP)

    assert upstream.wait_for_request().left(within_s=WITHIN_S)
    assert chat.events()[-1]["type"] == "done"


def subscribers(url: str) -> int:
    found: list[tuple[str, int]] = Redis.from_url(url, decode_responses=True).pubsub_numsub(
        "perch/stops"
    )
    return found[0][1]


@pytest.mark.redis
def test_other_machine_that_shares_the_redis_passes_it_on(
    upstream: Upstream, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(running_redis())
        mine, other = (
            stack.enter_context(Server.over(upstream, tmp_path, REDIS_URL=url)) for _ in range(2)
        )
        upstream.script(tokens=1)
        assert mine.chat("Hi").status == 200
        eventually(lambda: subscribers(url) == 1)
        upstream.reset()
        upstream.script(fault="stall", at=2)
        session = open_session(mine)
        chat = stream(mine, session)

        assert ask(other, session, STOP).status == 202

        assert upstream.wait_for_request().left(within_s=WITHIN_S)
        assert chat.events()[-1]["finishReason"] == "stopped"


@pytest.mark.redis
def test_deletion_by_a_command_stops_it_over_the_redis(upstream: Upstream, tmp_path: Path) -> None:
    upstream.script(fault="stall", at=2)
    with running_redis() as url, Server.over(upstream, tmp_path, REDIS_URL=url) as server:
        chat = stream(server, open_session(server))
        eventually(lambda: subscribers(url) == 1)
        (running,) = server.admin("/v1/admin/conversations?limit=1").json["conversations"]

        command = [sys.executable, "-m", "app", "conversations", "delete", "--yes", running["_id"]]
        subprocess.run(command, env=server.environment, check=True)

        assert upstream.wait_for_request().left(within_s=WITHIN_S)
        assert chat.events()[-1]["type"] == "error"


def test_last_worker_leaves_no_folder_behind(upstream: Upstream, short_path: Path) -> None:
    upstream.script(tokens=1)
    with Server.over(upstream, WEB_CONCURRENCY="2", TMPDIR=str(short_path)) as server:
        eventually(lambda: len(server.workers) == 2)
        for worker in server.workers:
            with asleep(worker):
                assert server.chat("Hi").status == 200
        (folder,) = short_path.glob("perch-*")
        assert len(list(folder.iterdir())) == 2
        assert folder.stat().st_mode & 0o777 == 0o700

        server.signal(SIGTERM)
        server.process.wait(STOPPED_WITHIN_S)

    assert list(short_path.iterdir()) == []
