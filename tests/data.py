"""Values for tests: state only what matters."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from app.domain.conversation import Answer, Message, Question
from app.settings import Settings, load
from app.storage.protocol import ConversationStore

SESSION = "session-1"
TURN = "turn-0001"
WIDGET_KEY = "widget-key-of-the-unit-tests"
ADMIN_KEY = "admin-key-of-the-unit-tests"


def a_message(**fields: object) -> Message:
    """A visitor's message."""
    return replace(Message(role="user", content="Hello"), **fields)  # type: ignore[arg-type]


def a_question(**fields: object) -> Question:
    """The first question of a session."""
    question = Question(session_id=SESSION, turn_id=TURN, content="What are your hours?")
    return replace(question, **fields)  # type: ignore[arg-type]


def an_answer(**fields: object) -> Answer:
    """A whole answer."""
    return replace(Answer(content="Nine to five.", status="complete"), **fields)  # type: ignore[arg-type]


def a_failure(**fields: object) -> Answer:
    """What is kept of a turn without an answer."""
    return an_answer(content="", status="error", **fields)


def say(
    store: ConversationStore,
    session_id: str = SESSION,
    turn_id: str = TURN,
    answer: Answer | None = None,
    **fields: object,
) -> str:
    """Run a whole turn; returns the conversation's id."""
    question = a_question(session_id=session_id, turn_id=turn_id, **fields)
    turn = store.begin_turn(question, history_limit=30, lease_s=60)
    assert store.finish_turn(turn, answer or an_answer())
    return turn.conversation_id


def some_settings(**variables: str) -> Settings:
    """What the environment of these variables, and no others, decides."""
    with patch.dict(os.environ, {"APP_ENV": "test", **variables}, clear=True):
        return load()


def a_tls_certificate(directory: Path) -> Path:
    """A key and its self-signed certificate for 127.0.0.1 and localhost, in one file."""
    path = directory / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    names = "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost"
    files = ["-keyout", str(path.with_suffix(".key")), "-out", str(path)]
    subprocess.run([*command.split(), *names.split(), *files], check=True, capture_output=True)
    path.write_bytes(path.with_suffix(".key").read_bytes() + path.read_bytes())
    return path
