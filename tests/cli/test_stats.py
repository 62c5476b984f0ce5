"""The figures of the last days, and the count of what came before them."""

import json

from flask.testing import FlaskCliRunner

from app.domain.conversation import Usage
from app.storage.protocol import ConversationStore
from tests.cli.running import run
from tests.data import an_answer, say


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
