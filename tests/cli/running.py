"""How a test runs a command, and looks at what is left."""

from click.testing import Result
from flask.testing import FlaskCliRunner

from app.storage.protocol import ConversationStore


def run(runner: FlaskCliRunner, *words: str, code: int = 0, **kwargs: object) -> Result:
    """Run a command; its exit code is as expected."""
    result = runner.invoke(args=words, **kwargs)
    assert result.exit_code == code, result.output
    return result


def sessions(store: ConversationStore) -> set[str]:
    return {each.session_id for each in store.list_conversations(limit=100).conversations}
