"""``RETENTION_DAYS`` on the real server: what is old goes by itself, and one worker says so."""

from contextlib import closing
from pathlib import Path

import pytest

from tests.data import a_question, an_answer
from tests.live.eventually import eventually
from tests.servers.perch import Server
from tests.servers.upstream import Upstream

OLD = 30
THEN_MS = 1_700_000_000_000


def seed(path: Path, store: str) -> None:
    """Store conversations that ended years ago."""
    if store == "convex":
        from tests.convex_server import convex_server

        fields = {"createdAt": THEN_MS, "updatedAt": THEN_MS}
        convex_server().insert(
            "conversations", [{"sessionId": f"old-{n}", **fields} for n in range(OLD)]
        )
        return
    from app.storage.sqlite import SqliteStore

    with closing(SqliteStore(path, clock_ms=lambda: THEN_MS)) as opened:
        for number in range(OLD):
            question = a_question(session_id=f"old-{number}")
            turn = opened.begin_turn(question, history_limit=1, lease_s=60)
            opened.finish_turn(turn, an_answer())


def test_old_conversations_are_purged_by_one_worker(
    upstream: Upstream, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    seed(tmp_path / "chat.db", pytestconfig.option.store)

    with Server.over(upstream, tmp_path, WEB_CONCURRENCY="2", RETENTION_DAYS="30") as server:
        server.chat("Hi", session="today")
        eventually(lambda: "Deleted" in server.log(), within_s=30)

        kept = server.admin("/v1/admin/conversations").json["conversations"]

    assert [each["sessionId"] for each in kept] == ["today"]
    told = [line["event"] for line in server.log_lines() if "Deleted" in str(line.get("event"))]
    assert told == [f"Deleted {OLD} conversations that were unused for 30 days"]
