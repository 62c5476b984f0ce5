"""What is old is deleted, and nothing that goes on."""

from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner

from app.domain.conversation import PurgedBatch
from app.factory import Parts, create_app
from app.storage.sqlite import SqliteStore
from tests.cli.running import run, sessions
from tests.data import TURN, a_question, say, some_settings


def test_purge_deletes_what_is_old(tmp_path: Path) -> None:
    now_ms = [1_600_000_000_000]
    store = SqliteStore(tmp_path / "chat.db", clock_ms=lambda: now_ms[0])
    settings = some_settings(SQLITE_PATH=str(tmp_path / "chat.db"))
    runner = create_app(settings, Parts(store=store)).test_cli_runner()
    say(store, "old")
    now_ms[0] = 4_000_000_000_000
    say(store, "new")

    counted = run(runner, "purge", "--older-than", "90d", "--dry-run").stdout
    run(runner, "purge", "--older-than", "12w", code=1, input="n\n")
    assert sessions(store) == {"old", "new"}
    deleted = run(runner, "purge", "--older-than", "1y", "--yes").output

    assert counted == "To delete: 1\n"
    assert "Deleted: 1" in deleted
    assert sessions(store) == {"new"}
    store.close()


class _VisitorComesBack(SqliteStore):
    """Right before anything is deleted, somebody goes on."""

    def delete_conversation(self, conversation_id: str) -> bool:
        self._come_back()
        return super().delete_conversation(conversation_id)

    def purge(self, *, unused_days: int) -> PurgedBatch:
        self._come_back()
        return super().purge(unused_days=unused_days)

    def _come_back(self) -> None:
        say(self, "back", "turn-back")


def test_purge_keeps_what_goes_on_meanwhile(tmp_path: Path) -> None:
    now_ms = [1_600_000_000_000]
    store = _VisitorComesBack(tmp_path / "chat.db", clock_ms=lambda: now_ms[0])
    settings = some_settings(SQLITE_PATH=str(tmp_path / "chat.db"))
    runner = create_app(settings, Parts(store=store)).test_cli_runner()
    for session_id in ("back", "asking", "quiet"):
        say(store, session_id)
    now_ms[0] = 4_000_000_000_000
    store.begin_turn(
        a_question(session_id="asking", turn_id=TURN, regenerate=True), history_limit=1, lease_s=60
    )

    deleted = run(runner, "purge", "--older-than", "1y", "--yes").output

    assert "Deleted: 1" in deleted
    assert sessions(store) == {"back", "asking"}
    store.close()


def test_an_age_before_all_times_finds_nothing(runner: FlaskCliRunner) -> None:
    run(runner, "purge", "--older-than", "99999y", code=1, input="n\n")
    found = run(runner, "purge", "--older-than", "99999y", "--dry-run").stdout

    assert found == "To delete: 0\n"


@pytest.mark.parametrize("age", ["90", "0d", "-1d", "soon", "1m", "999999d"])
def test_age_must_be_one(runner: FlaskCliRunner, age: str) -> None:
    run(runner, "purge", f"--older-than={age}", "--yes", code=2)
