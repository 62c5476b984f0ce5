"""Every way to ask: the same question at the door of each protocol."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Door:
    """A route that is asked; ``body`` is for a session and a message."""

    path: str
    body: Callable[[str, str], dict[str, Any]]


def _ours(session: str, message: str) -> dict[str, Any]:
    return {"sessionId": session, "message": message}


def _ai_sdk(session: str, message: str) -> dict[str, Any]:
    parts = [{"type": "text", "text": message}]
    return {"id": session, "messages": [{"role": "user", "parts": parts}]}


def _ag_ui(session: str, message: str) -> dict[str, Any]:
    said = [{"role": "user", "content": message}]
    return {"threadId": session, "runId": uuid.uuid4().hex, "messages": said}


def _n8n(session: str, message: str) -> dict[str, Any]:
    return {"action": "sendMessage", "sessionId": session, "chatInput": message}


def _deep_chat(session: str, message: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "text": message}], "sessionId": session}


def _openai(field: str) -> Callable[[str, str], dict[str, Any]]:
    def body(session: str, message: str) -> dict[str, Any]:
        said = [{"role": "user", "content": message}]
        return {"model": "default", "user": session, field: said, "stream": True}

    return body


DOORS = {
    "json": Door("/v1/chat", _ours),
    "ndjson": Door("/v1/chat/stream", _ours),
    "openai-chat": Door("/v1/chat/completions", _openai("messages")),
    "openai-responses": Door("/v1/responses", _openai("input")),
    "ai-sdk": Door("/v1/ai-sdk/chat", _ai_sdk),
    "ag-ui": Door("/v1/ag-ui", _ag_ui),
    "n8n": Door("/v1/n8n", _n8n),
    "deep-chat": Door("/v1/deep-chat", _deep_chat),
}
"""By the name that metrics give to the protocol."""


def code_of(problem: dict[str, Any]) -> str:
    """Return the code of a failure, in whichever shape it is told."""
    error = problem["error"]
    return str(error["code"] if isinstance(error, dict) else problem["code"])
