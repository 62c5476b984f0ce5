"""The assistant, switched off and on."""

from flask.testing import FlaskCliRunner

from app.storage.protocol import ConversationStore
from tests.cli.running import run


def test_assistant_is_switched_off_and_on(runner: FlaskCliRunner, store: ConversationStore) -> None:
    assert run(runner, "switch").stdout == "The assistant is on.\n"
    assert run(runner, "switch", "off").stdout == "The assistant is off.\n"
    assert list(store.read_state().switches) != []
    assert run(runner, "switch", "on").stdout == "The assistant is on.\n"
