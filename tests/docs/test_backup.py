"""The backup of docs/operations.md: whole, for its owner only, and never of nothing."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.storage.sqlite import SqliteStore
from tests.data import say
from tests.docs.blocks import blocks_of

# Each runs the page's own program.
pytestmark = [pytest.mark.sqlite, pytest.mark.slow]


def back_up(folder: Path, *words: str, umask: int = 0o022) -> "subprocess.CompletedProcess[str]":
    """Run the page's own lines in a folder, with other names of files."""
    (block,) = [each for each in blocks_of("docs/operations.md") if "backup.py" in each.text
                and not each.remark]  # fmt: skip
    written, _, line = block.text.rpartition("python3 backup.py ")
    assert line == '"${SQLITE_PATH:-/var/lib/perch/chat.db}" backup.db\n'
    return subprocess.run(
        ["sh", "-euc", f'{written}\n"$PYTHON" backup.py "$@"', "sh", *words],
        cwd=folder, env={"PATH": os.environ["PATH"], "PYTHON": sys.executable}, umask=umask,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def conversations_in(path: Path) -> int:
    with sqlite3.connect(path) as backup:
        return int(backup.execute("SELECT count(*) FROM conversations").fetchone()[0])


@pytest.mark.parametrize("name", ["chat.db", "50% of #1? chats.db"])
@pytest.mark.parametrize("running", [True, False], ids=["while it runs", "after it ended"])
def test_a_backup_holds_what_was_said(tmp_path: Path, name: str, running: bool) -> None:
    store = SqliteStore(tmp_path / name)
    say(store)
    if not running:
        store.close()

    told = back_up(tmp_path, name, "backup.db")

    assert told.returncode == 0, told.stderr
    assert told.stdout == f"1 conversations of {tmp_path / name} are in {tmp_path}/backup.db\n"
    assert conversations_in(tmp_path / "backup.db") == 1
    store.close()


@pytest.mark.parametrize("before", [None, 0o644])
def test_a_backup_is_readable_by_its_owner_only(tmp_path: Path, before: int | None) -> None:
    store = SqliteStore(tmp_path / "chat.db")
    say(store)
    store.close()
    if before is not None:
        (tmp_path / "backup.db").touch(before)

    back_up(tmp_path, "chat.db", "backup.db", umask=0)

    assert stat.S_IMODE((tmp_path / "backup.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("source", ["absent.db", "empty.db", "folder", "text"])
def test_a_backup_of_nothing_is_an_error_and_leaves_the_last_one(
    tmp_path: Path, source: str
) -> None:
    (tmp_path / "empty.db").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("These are the conversations. " * 100)
    (tmp_path / "backup.db").write_text("the last one")

    told = back_up(tmp_path, source, "backup.db")

    assert told.returncode != 0
    assert (tmp_path / "backup.db").read_text() == "the last one"
    assert not (tmp_path / "absent.db").exists()
