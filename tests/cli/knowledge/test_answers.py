"""The owner's own answers, by commands."""

import json
from pathlib import Path

from flask.testing import FlaskCliRunner

from app.storage.protocol import ConversationStore
from tests.cli.running import run
from tests.knowledge_parts import ASSISTANT, ask_in_vain


def test_answer_is_added_listed_and_removed(runner: FlaskCliRunner) -> None:
    made = run(runner, "answers", "add", "What are your hours?", "Nine to five.").stdout.strip()

    told = json.loads(run(runner, "answers", "list", "--json").stdout)
    table = run(runner, "answers", "list").stdout
    removed = run(runner, "answers", "remove", made)

    assert told.pop("changedAt") > 0
    assert told == {"id": made, "question": "What are your hours?", "answer": "Nine to five."}
    assert made in table
    assert "Nine to five." in table
    assert "Removed: 1" in removed.output
    assert run(runner, "answers", "list", "--json").stdout == ""


def test_answer_is_read_from_a_file(runner: FlaskCliRunner, tmp_path: Path) -> None:
    file = tmp_path / "answer.md"
    file.write_text("九点。\n", encoding="utf-8")

    run(runner, "answers", "add", "几点开门？", "--file", str(file))

    assert json.loads(run(runner, "answers", "list", "--json").stdout)["answer"] == "九点。"


def test_answered_question_is_unanswered_no_longer(
    runner: FlaskCliRunner, store: ConversationStore
) -> None:
    ask_in_vain(store, "Ship to Japan?")

    run(runner, "answers", "add", "ship to japan", "Yes.")

    assert store.documents.list_gaps(ASSISTANT, limit=5) == ()


def test_what_cannot_be_done_is_a_sentence(runner: FlaskCliRunner) -> None:
    assert "no words" in run(runner, "answers", "add", "??", "Yes.", code=1).output
    assert "no such answer" in run(runner, "answers", "remove", "x", code=1).output
    assert "Give the answer" in run(runner, "answers", "add", "Hours?", code=2).output
    assert "no such assistant" in run(runner, "answers", "list", "--assistant", "x", code=1).output
