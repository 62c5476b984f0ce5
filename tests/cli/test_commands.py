"""The commands, run as an operator or cron runs them."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result
from flask.testing import FlaskCliRunner

from app.domain.conversation import Answer, Feedback, PurgedBatch, Usage
from app.domain.errors import ModelMisconfigured, StorageUnavailable
from app.factory import Parts, create_app
from app.storage.protocol import ConversationStore
from app.storage.sqlite import SqliteStore
from tests.data import ADMIN_KEY, SESSION, TURN, a_question, an_answer, say, some_settings
from tests.fakes import ScriptedModel

if TYPE_CHECKING:
    from tests.conftest import MakeApp

DAY_MS = 24 * 60 * 60 * 1000


@pytest.fixture
def runner(make_app: "MakeApp", store: ConversationStore) -> FlaskCliRunner:
    """Runs commands on a store that a server has made."""
    store.ping()
    return make_app(MODEL_PRICES="gpt-4.1=2/8").test_cli_runner()


def run(runner: FlaskCliRunner, *words: str, code: int = 0, **kwargs: object) -> Result:
    """Run a command; its exit code is as expected."""
    result = runner.invoke(args=words, **kwargs)
    assert result.exit_code == code, result.output
    return result


def sessions(store: ConversationStore) -> set[str]:
    return {each.session_id for each in store.list_conversations(limit=100).conversations}


# Conversations


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


# Upkeep


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


def test_stats_show_the_last_days(runner: FlaskCliRunner, store: ConversationStore) -> None:
    say(store, answer=an_answer(model="gpt-4.1", usage=Usage(1_000_000, 0), first_token_ms=90))

    table = run(runner, "stats", "--days", "2").output
    told = json.loads(run(runner, "stats", "--days", "2", "--json").stdout)

    assert "2.00" in table
    assert len(told["periods"]) == 2
    assert told["total"]["turns"] == 1
    assert told["total"]["cost"] == 2.0


def test_nothing_is_left_to_backfill(runner: FlaskCliRunner, store: ConversationStore) -> None:
    say(store)

    assert "Counted: 0" in run(runner, "backfill").output


def test_assistant_is_switched_off_and_on(runner: FlaskCliRunner, store: ConversationStore) -> None:
    assert run(runner, "switch").stdout == "The assistant is on.\n"
    assert run(runner, "switch", "off").stdout == "The assistant is off.\n"
    assert list(store.read_switches()) != []
    assert run(runner, "switch", "on").stdout == "The assistant is on.\n"


# Doctor


def doctor(make_app: "MakeApp", code: int, **variables: str) -> str:
    return run(make_app(**variables).test_cli_runner(), "doctor", code=code).output


def test_doctor_finds_nothing_wrong(make_app: "MakeApp") -> None:
    output = doctor(make_app, 0, OPENAI_API_KEY="sk-something", CORS_ORIGIN="https://a.example")

    assert "wrong" not in output
    assert "scripted says its first word" in output


def test_doctor_asks_for_no_more_than_a_word(make_app: "MakeApp", model: ScriptedModel) -> None:
    doctor(make_app, 0, OPENAI_API_KEY="sk-something")

    assert len(model.prompts) == 1
    assert model.open_count == 0


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "the built-in demo answers"),
        ({"WEB_CONCURRENCY": "2"}, "2 workers count limits and budgets each for itself"),
        ({"CORS_ORIGIN": "*"}, "allows any page"),
        ({"BUDGET_TOKENS_PER_DAY": "0"}, "there is no budget"),
        ({"DASHBOARD_PASSWORD": ""}, "there is no dashboard"),
        ({"DASHBOARD_PASSWORD": "short"}, "has 5 characters: production refuses it"),
        ({"DASHBOARD_PASSWORD": "long enough for it"}, "the dashboard is at /dashboard"),
        ({"TRUSTED_PROXY_HOPS": "2"}, "the client is number 2 from the end"),
        ({"CLIENT_IP_HEADER": "X-Real-IP"}, "X-Real-IP names the client"),
        ({}, "0: the client is whoever connects"),
        ({}, "is not set, and one worker needs none"),
        ({"CORS_ORIGIN": "https://a.example,https://b.example"}, "allows https://a.example, https"),
        ({"RENDER": "true", "APP_ENV": "test"}, "Render may throw its disk away"),
    ],
)
def test_doctor_points_at_what_may_be_meant(
    make_app: "MakeApp", variables: dict[str, str], said: str
) -> None:
    assert said in doctor(make_app, 0, **variables)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ADMIN_API_KEY": "a" * 30}, "has only 1 different characters"),
        ({"WIDGET_BUNDLE_PATH": "nowhere.js"}, "nowhere.js is not there"),
        ({"REDIS_URL": "redis://127.0.0.1:9"}, "does not answer"),
    ],
)
def test_doctor_tells_what_is_wrong(
    make_app: "MakeApp", variables: dict[str, str], said: str
) -> None:
    assert said in doctor(make_app, 1, **variables)


def test_doctor_tells_what_stops_gunicorn(store: ConversationStore) -> None:
    settings = replace(some_settings(ADMIN_API_KEY=ADMIN_KEY), gunicorn_stumbles=True)
    app = create_app(settings, Parts(store=store, model=ScriptedModel()))

    output = run(app.test_cli_runner(), "doctor", code=1).output

    assert "WEB_CONCURRENCY" in output
    assert "gunicorn ends on that" in output


def test_doctor_tells_that_the_model_refuses(make_app: "MakeApp", model: ScriptedModel) -> None:
    model.script(start=ModelMisconfigured())

    output = doctor(make_app, 1, OPENAI_API_KEY="sk-something", OPENAI_MODEL="gpt-9")

    assert "gpt-9: The assistant is not set up correctly" in output


def test_doctor_tells_what_the_store_says(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    path.write_bytes(b"this is no database, whatever its name may say" * 100)
    settings = some_settings(SQLITE_PATH=str(path), ADMIN_API_KEY=ADMIN_KEY)

    result = run(create_app(settings).test_cli_runner(), "doctor", code=1)

    assert "is not a SQLite database" in result.output


def test_store_that_is_away_is_a_sentence(tmp_path: Path) -> None:
    class Away:
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
