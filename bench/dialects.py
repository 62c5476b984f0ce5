"""How each protocol is asked, and how the lines of its stream begin."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

KEY = "bench-widget-key-000000000000"
Body = Callable[[str, str], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One protocol; ``body`` writes the question of a session, which come as session and message.

    ``token`` begins each line with a piece of the answer, ``end`` the last line.
    """

    path: str
    body: Body
    token: bytes
    end: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"x-api-key": KEY})


def _ours(session: str, message: str) -> dict[str, Any]:
    return {"sessionId": session, "message": message}


def _said(message: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": message}]


def _model(_session: str, message: str) -> dict[str, Any]:
    return {"model": "gpt-4.1-mini", "stream": True, "messages": _said(message)}


def _openai(field_name: str) -> Body:
    def body(session: str, message: str) -> dict[str, Any]:
        said = {field_name: _said(message)}
        return {"model": "default", "user": session, "stream": True, **said}

    return body


def _ai_sdk(session: str, message: str) -> dict[str, Any]:
    parts = [{"type": "text", "text": message}]
    return {"id": session, "messages": [{"role": "user", "parts": parts}]}


def _ag_ui(session: str, message: str) -> dict[str, Any]:
    return {"threadId": session, "runId": uuid.uuid4().hex, "messages": _said(message)}


def _n8n(session: str, message: str) -> dict[str, Any]:
    return {"action": "sendMessage", "sessionId": session, "chatInput": message}


def _deep_chat(session: str, message: str) -> dict[str, Any]:
    return {"sessionId": session, "messages": [{"role": "user", "text": message}]}


_BEARER = {"Authorization": f"Bearer {KEY}"}
_DONE = b"data: [DONE]"

DIALECTS = {
    "model": Dialect(
        "/v1/chat/completions",
        _model,
        b'data: {"id"',
        _DONE,
        {"Authorization": "Bearer sk-bench"},
    ),
    "ndjson": Dialect(
        "/v1/chat/stream",
        _ours,
        b'{"type":"token"',
        b'{"type":"done"',
    ),
    "openai-chat": Dialect(
        "/v1/chat/completions",
        _openai("messages"),
        b'data: {"id"',
        _DONE,
        _BEARER,
    ),
    "openai-responses": Dialect(
        "/v1/responses",
        _openai("input"),
        b'data: {"type":"response.output_text.delta"',
        _DONE,
        _BEARER,
    ),
    "ai-sdk": Dialect(
        "/v1/ai-sdk/chat",
        _ai_sdk,
        b'data: {"type":"text-delta"',
        _DONE,
    ),
    "ag-ui": Dialect(
        "/v1/ag-ui",
        _ag_ui,
        b'data: {"type":"TEXT_MESSAGE_CONTENT"',
        b'data: {"type":"RUN_FINISHED"',
    ),
    "n8n": Dialect(
        "/v1/n8n",
        _n8n,
        b'{"type":"item"',
        b'{"type":"end"',
        {"x-api-key": KEY, "Accept": "text/plain"},
    ),
    "deep-chat": Dialect(
        "/v1/deep-chat",
        _deep_chat,
        b'data: {"text"',
        b"0\r",  # the last chunk of the body: the format has no word for its end
        {"x-api-key": KEY, "Accept": "text/event-stream"},
    ),
}
"""By the name that metrics give to the protocol; ``model`` is the model's own, of the floor."""

OTHERS = tuple(name for name in DIALECTS if name not in ("model", "ndjson"))
"""The protocols beside our own."""
