"""Which store a command works on: it says so first, and makes none."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.storage.sqlite import SqliteStore
from tests.data import ADMIN_KEY, say
from tests.servers.perch import ROOT

pytestmark = pytest.mark.slow  # each command is a process

COMMANDS = [
    ("switch",),
    ("switch", "off"),
    ("stats",),
    ("backfill",),
    ("purge", "--older-than", "1d", "--yes"),
    ("conversations", "list"),
    ("conversations", "show", "some-id"),
    ("conversations", "export"),
    ("conversations", "delete", "--user", "somebody", "--yes"),
]
PYTHON_M_APP = (sys.executable, "-m", "app")
FLASK = (str(Path(sys.executable).with_name("flask")), "--app", "wsgi")


def run(
    folder: Path, *words: str, program: tuple[str, ...] = PYTHON_M_APP, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run a command as an operator does, in a folder and with nothing but these variables."""
    return subprocess.run(
        [*program, *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def chat_db(tmp_path: Path) -> Path:
    """A store with one conversation."""
    path = tmp_path / "var" / "chat.db"
    store = SqliteStore(path)
    say(store)
    store.close()
    return path


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_makes_no_store_and_nothing_beside_it(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    told = run(tmp_path, *words, PYTHONDONTWRITEBYTECODE="1")

    path = tmp_path / "data" / "chat.db"
    assert told.returncode == 1
    first, error = told.stderr.splitlines()
    assert first == f"on SQLite {path} (development)"
    assert str(path) in error
    assert "--env-file" in error
    assert "PERCH_ENV_FILE" in error
    assert "deploy/perch" in error
    assert told.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("program", [PYTHON_M_APP, FLASK], ids=["python -m app", "flask"])
def test_the_first_line_names_the_store(
    chat_db: Path, tmp_path: Path, program: tuple[str, ...]
) -> None:
    more = {"SQLITE_PATH": str(chat_db), "WEB_CONCURRENCY": "2"}

    told = run(tmp_path, "switch", "off", program=program, **more)

    assert told.stdout == "The assistant is off.\n"
    assert told.stderr == f"on SQLite {chat_db} (development)\n"


def test_a_store_behind_a_link_has_the_name_that_its_owner_gave_it(
    chat_db: Path, tmp_path: Path
) -> None:
    (tmp_path / "perch").symlink_to(chat_db.parent)

    told = run(tmp_path, "switch", SQLITE_PATH=str(tmp_path / "perch" / "chat.db"))

    assert told.stderr == f"on SQLite {tmp_path / 'perch' / 'chat.db'} (development)\n"


def test_an_empty_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "chat.db").touch()

    told = run(tmp_path, "stats", SQLITE_PATH="chat.db")

    assert told.returncode == 1
    assert (tmp_path / "chat.db").stat().st_size == 0


def test_convex_is_named_by_its_address_and_asked(tmp_path: Path) -> None:
    convex = {"CONVEX_URL": "http://127.0.0.1:9", "CONVEX_DEPLOY_KEY": "prod:x|y"}

    told = run(tmp_path, "switch", **convex, APP_ENV="test")

    assert told.returncode == 1
    assert told.stderr.startswith("on Convex http://127.0.0.1:9 (test)\n")
    assert "There is no" not in told.stderr


def test_doctor_makes_none_either(tmp_path: Path) -> None:
    told = run(tmp_path, "doctor", ADMIN_API_KEY=ADMIN_KEY)

    assert told.stderr.startswith(f"on SQLite {tmp_path / 'data' / 'chat.db'} (development)\n")
    assert "is not there yet" in " ".join(told.stdout.split())
    assert list(tmp_path.iterdir()) == []


def test_help_speaks_of_no_store_and_lists_our_commands_only(tmp_path: Path) -> None:
    told = run(tmp_path, "--help")

    listed = told.stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == [
        "answers", "backfill", "close", "conversations", "doctor", "inbox", "learn", "purge",
        "release", "reply", "sign-in", "stats", "switch", "take", "unanswered", "vectors", "verify",
    ]  # fmt: skip
    assert told.stderr == ""
    assert "--env-file" in told.stdout


# The file with the settings


@pytest.fixture
def env_file(chat_db: Path, tmp_path: Path) -> Path:
    path = tmp_path / "service.env"
    path.write_text(f"SQLITE_PATH={chat_db}\nAPP_ENV=test\n")
    return path


@pytest.mark.parametrize("by_option", [True, False], ids=["--env-file", "PERCH_ENV_FILE"])
def test_settings_come_from_the_file_that_is_named(
    env_file: Path, chat_db: Path, tmp_path: Path, by_option: bool
) -> None:
    words = ("--env-file", env_file.name) if by_option else ()
    variables = {} if by_option else {"PERCH_ENV_FILE": str(env_file)}

    told = run(tmp_path, *words, "switch", **variables)

    assert told.stderr == f"on SQLite {chat_db} (test)\n"
    assert told.returncode == 0


def test_the_named_file_takes_the_place_of_the_usual_ones_and_variables_win_over_it(
    env_file: Path, chat_db: Path, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("SQLITE_PATH=elsewhere.db\nCORS_ORIGIN=no-origin\n")

    told = run(tmp_path, "--env-file", str(env_file), "switch", APP_ENV="development")

    assert told.stderr == f"on SQLite {chat_db} (development)\n"


def test_a_named_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    told = run(tmp_path, "--env-file", "nowhere.env", "switch")

    assert told.returncode == 1
    assert "nowhere.env cannot be read: No such file or directory" in told.stderr


# What leaves the store


def test_an_export_is_readable_by_its_owner_only(chat_db: Path, tmp_path: Path) -> None:
    run(tmp_path, "conversations", "export", "-o", "all.jsonl", SQLITE_PATH=str(chat_db))

    path = tmp_path / "all.jsonl"
    assert len(path.read_text().splitlines()) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_export_that_cannot_be_written_is_a_sentence(chat_db: Path, tmp_path: Path) -> None:
    """As on a host and in a container, where the service's user may write its data alone."""
    for target in ("nowhere/all.csv", "chat.db/all.csv"):
        told = run(tmp_path, "conversations", "export", "-o", target, SQLITE_PATH=str(chat_db))

        assert told.returncode == 1
        _, error = told.stderr.splitlines()
        assert error.startswith(f"Error: {tmp_path / target} cannot be written by the user of")
        assert "export > FILE" in error
