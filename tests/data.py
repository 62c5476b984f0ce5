"""Values for tests: state only what matters."""

from dataclasses import replace

from app.conversation import Answer, Message, Question

SESSION = "session-1"
TURN = "turn-0001"


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
