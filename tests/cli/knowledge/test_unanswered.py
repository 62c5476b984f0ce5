"""What the pages did not answer, by a command."""

import csv
import io
import json

import pytest
from flask.testing import FlaskCliRunner

from app.storage.protocol import ConversationStore
from tests.cli.running import run
from tests.knowledge_parts import ask_in_vain


@pytest.fixture(autouse=True)
def asked(store: ConversationStore) -> None:
    for question in ("Ship to Japan?", "ship to japan", "Wrap gifts?"):
        ask_in_vain(store, question)


def test_questions_are_listed_those_asked_most_first(runner: FlaskCliRunner) -> None:
    lines = run(runner, "unanswered").stdout.splitlines()

    assert "ship to japan" in lines[1]
    assert "nothing found" in lines[1]
    assert "Wrap gifts?" in lines[2]


def test_all_of_them_are_a_table(runner: FlaskCliRunner) -> None:
    out = run(runner, "unanswered", "--csv", "--limit", "1").stdout_bytes.decode("utf-8-sig")

    rows = list(csv.reader(io.StringIO(out, newline="")))

    assert [row[:2] for row in rows[1:]] == [["ship to japan", "2"], ["Wrap gifts?", "1"]]


def test_question_is_dismissed_by_its_id(runner: FlaskCliRunner) -> None:
    first = json.loads(run(runner, "unanswered", "--json", "--limit", "1").stdout)

    told = run(runner, "unanswered", "--dismiss", first["id"]).output

    assert "Dismissed: 2" in told
    assert "japan" not in run(runner, "unanswered").stdout
    assert "no such question" in run(runner, "unanswered", "--dismiss", "x", code=1).output
