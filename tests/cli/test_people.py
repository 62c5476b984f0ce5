"""Visitors, answered from a shell."""

import json
from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskCliRunner

from app.domain.people import ByVisitor
from app.storage.protocol import ConversationStore
from tests.cli.running import run
from tests.data import SESSION, say

if TYPE_CHECKING:
    from tests.conftest import MakeApp


@pytest.fixture
def runner(make_app: "MakeApp", store: ConversationStore) -> FlaskCliRunner:
    """Runs commands where people answer."""
    store.ping()
    return make_app(HUMAN="on", OPERATOR_NAME="Ada").test_cli_runner()


@pytest.fixture
def waiting(store: ConversationStore) -> str:
    """The id of a conversation whose visitor waits for a person."""
    say(store, content="Where is it?")
    return store.people.hand_over(ByVisitor(SESSION, "default"), "ask").conversation_id


def told(store: ConversationStore, conversation_id: str) -> list[tuple[str, str, str | None]]:
    messages = store.read_thread(conversation_id).messages[2:]
    return [(each.role, each.event or each.content, each.author) for each in messages]


def test_inbox_lists_who_waits(runner: FlaskCliRunner, waiting: str) -> None:
    table = run(runner, "inbox").stdout
    (row,) = run(runner, "inbox", "--json").stdout.splitlines()

    assert waiting in table
    assert "waiting" in table
    assert (json.loads(row)["_id"], json.loads(row)["state"]) == (waiting, "waiting")
    assert run(runner, "inbox", "--assistant", "shop", "--json").stdout == ""


def test_visitor_is_answered_and_given_back(
    runner: FlaskCliRunner, store: ConversationStore, waiting: str
) -> None:
    assert run(runner, "take", waiting).stdout == "A person has it now.\n"
    assert run(runner, "take", waiting).stdout == "It was so already. A person has it now.\n"
    for _ in range(2):
        said = run(runner, "reply", waiting, "On its way.", "--name", "Grace", "--key", "1")
        assert said.stdout == "Said, as Grace.\n"
    run(runner, "reply", waiting, "-", input="Two\nlines.\n")
    assert run(runner, "release", waiting).stdout == "The assistant has it now.\n"
    message = json.loads(run(runner, "reply", waiting, "Wait!", "--json").stdout)
    assert run(runner, "close", waiting).stdout == "It is closed.\n"

    assert message["content"] == "Wait!"
    assert told(store, waiting) == [
        ("system", "asked", None),
        ("system", "taken", "Ada"),
        ("operator", "On its way.", "Grace"),
        ("operator", "Two\nlines.", "Ada"),
        ("system", "released", "Ada"),
        ("system", "taken", "Ada"),
        ("operator", "Wait!", "Ada"),
        ("system", "closed", "Ada"),
    ]


def test_what_is_wrong_is_a_sentence(runner: FlaskCliRunner, waiting: str) -> None:
    unknown = run(runner, "take", "none", code=1)
    blank = run(runner, "reply", waiting, " ", code=1)

    assert "Error: " in unknown.output
    assert "Error: The reply has no words" in blank.output
    assert "Traceback" not in unknown.output + blank.output
