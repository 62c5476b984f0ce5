"""Conversations by command: listed, shown, exported, deleted."""

import csv
import io
import json
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner

from app.domain.conversation import Answer, Feedback
from app.domain.errors import StorageUnavailable
from app.factory import Parts, create_app
from app.storage.protocol import ConversationStore
from tests.cli.running import run, sessions
from tests.data import SESSION, say, some_settings


def test_one_assistants_are_listed_summed_up_and_deleted(
    runner: FlaskCliRunner, store: ConversationStore
) -> None:
    say(store, "s-home")
    say(store, "s-shop", assistant="shop")

    listed = run(runner, "conversations", "list", "--assistant", "shop", "--json").stdout
    summed = json.loads(run(runner, "stats", "--assistant", "shop", "--json").stdout)
    told = run(runner, "conversations", "delete", "--assistant", "shop", "--yes").stdout

    assert [json.loads(line)["sessionId"] for line in listed.splitlines()] == ["s-shop"]
    assert summed["total"]["turns"] == 1
    assert "Deleted: 1" in told
    assert sessions(store) == {"s-home"}


@pytest.mark.parametrize("words", [(), ("--user", "u-1")])
def test_what_has_an_assistant_is_not_deleted_with_the_rest_of_it(
    runner: FlaskCliRunner, store: ConversationStore, words: tuple[str, ...]
) -> None:
    for each in ("one", "other"):
        store.set_user(each, "u-1")
    conversation_id = say(store, "one", assistant="shop")
    say(store, "other", assistant="shop")

    for named in (("--session", "one"), (conversation_id,)):
        asked = ("conversations", "delete", *named, "--assistant", "shop", *words, "--yes")
        run(runner, *asked, code=2)

    assert sessions(store) == {"one", "other"}


def test_user_is_deleted_with_one_assistant_alone(
    runner: FlaskCliRunner, store: ConversationStore
) -> None:
    for each in ("home", "shop"):
        store.set_user(each, "u-1")
    say(store, "home")
    say(store, "shop", assistant="shop")
    say(store, "anybody", assistant="shop")

    run(runner, "conversations", "delete", "--user", "u-1", "--assistant", "shop", "--yes")

    assert sessions(store) == {"home", "anybody"}


@pytest.mark.parametrize(
    "words", [("stats",), ("conversations", "list"), ("conversations", "delete", "--yes")]
)
def test_what_is_no_id_of_an_assistant_is_named(
    runner: FlaskCliRunner, words: tuple[str, ...]
) -> None:
    output = run(runner, *words, "--assistant", "Shop!", code=2).output

    assert "Invalid value for --assistant" in output


def test_conversations_are_listed(runner: FlaskCliRunner, store: ConversationStore) -> None:
    conversation_id = say(store)

    output = run(runner, "conversations", "list").output

    assert conversation_id in output
    assert "What are your hours?" in output


def test_list_is_narrowed_and_told_as_json(
    runner: FlaskCliRunner, store: ConversationStore
) -> None:
    say(store, "failed", answer=Answer("", "error"))
    say(store, "whole")

    output = run(runner, "conversations", "list", "--status", "error", "--json").stdout

    assert [json.loads(line)["sessionId"] for line in output.splitlines()] == ["failed"]


@pytest.mark.parametrize(
    "words",
    [("list", "--from", "yesterday"), ("list", "--feedback", "sideways"), ("export", "--to", "x")],
)
def test_wrong_option_is_named(runner: FlaskCliRunner, words: tuple[str, ...]) -> None:
    output = run(runner, "conversations", *words, code=2).output

    assert f"Invalid value for {words[1]}" in output


def test_conversation_is_shown(runner: FlaskCliRunner, store: ConversationStore) -> None:
    conversation_id = say(store)

    output = run(runner, "conversations", "show", conversation_id).output

    assert output.index("What are your hours?") < output.index("Nine to five.")


def test_what_a_visitor_wrote_commands_no_terminal(
    runner: FlaskCliRunner, store: ConversationStore
) -> None:
    conversation_id = say(store, content="\x1b[2J\x9b31m[bold]loud[/bold] \u202eright\rleft")

    output = run(runner, "conversations", "show", conversation_id).output

    assert not set("\x1b\x9b\u202e\r") & set(output)
    assert "[bold]loud[/bold]" in output


def test_unknown_conversation_is_a_sentence(runner: FlaskCliRunner) -> None:
    told = run(runner, "conversations", "show", "nothing", code=1).stderr

    assert told.endswith("\nError: Conversation not found\n")


def test_export_goes_to_a_file_or_to_the_next_program(
    runner: FlaskCliRunner, store: ConversationStore, tmp_path: Path
) -> None:
    say(store, "one")
    say(store, "two")
    path = tmp_path / "all.csv"

    run(runner, "conversations", "export", "--format", "csv", "-o", str(path))
    piped = run(runner, "conversations", "export").stdout

    rows = list(csv.DictReader(io.StringIO(path.read_text(), newline="")))
    assert [row["role"] for row in rows] == ["user", "assistant"] * 2
    assert {json.loads(line)["sessionId"] for line in piped.splitlines()} == {"one", "two"}


def test_conversations_are_deleted_when_confirmed(
    runner: FlaskCliRunner, store: ConversationStore
) -> None:
    conversation_id = say(store)

    run(runner, "conversations", "delete", conversation_id, code=1, input="n\n")
    assert sessions(store) == {SESSION}
    output = run(runner, "conversations", "delete", conversation_id, input="y\n").output

    assert "Deleted: 1" in output
    assert sessions(store) == set()


def test_everything_of_a_session_or_a_user_is_deleted(
    runner: FlaskCliRunner, store: ConversationStore
) -> None:
    store.set_user("known", "u-1")
    for session_id in ("known", "mine", "other"):
        say(store, session_id)

    output = run(
        runner, "conversations", "delete", "--session", "mine", "--user", "u-1", "--yes"
    ).output

    assert "Deleted: 2" in output
    assert sessions(store) == {"other"}


def test_list_takes_no_number_below_none(runner: FlaskCliRunner) -> None:
    assert "--limit" in run(runner, "conversations", "list", "--limit", "-1", code=2).output


def test_deletion_must_name_something(runner: FlaskCliRunner) -> None:
    run(runner, "conversations", "delete", "--yes", code=2)


def test_store_that_is_away_is_a_sentence(tmp_path: Path) -> None:
    class Away:
        @property
        def documents(self) -> "Away":
            return self

        @property
        def people(self) -> "Away":
            return self

        def __getattr__(self, name: str) -> object:
            def fail(*_: object, **__: object) -> None:
                raise StorageUnavailable

            return fail

    (tmp_path / "chat.db").write_bytes(b"there")
    settings = some_settings(SQLITE_PATH=str(tmp_path / "chat.db"), SECRET_KEY="s" * 24)
    app = create_app(settings, Parts(store=Away()))  # type: ignore[arg-type]

    told = run(app.test_cli_runner(), "conversations", "list", code=1).stderr

    assert told.endswith("\nError: Conversations are not available right now\n")


def test_rated_answer_shows_its_thumb(runner: FlaskCliRunner, store: ConversationStore) -> None:
    conversation_id = say(store)
    thread = store.read_thread(conversation_id)
    store.rate_message(SESSION, thread.messages[1].id, Feedback("down"))

    assert "thumbs down" in run(runner, "conversations", "show", conversation_id).output
