"""How each protocol is asked, and how the lines of its stream begin."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

KEY = "bench-widget-key-000000000000"
QUESTION = "Hello, what can you do for me today?"
_SAID = [{"role": "user", "content": QUESTION}]
_PARTS = [{"type": "text", "text": QUESTION}]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One protocol; ``body`` is a session's question."""

    path: str
    body: Callable[[str], dict[str, Any]]
    token: bytes
    end: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"x-api-key": KEY})


_BEARER = {"Authorization": f"Bearer {KEY}"}
_DONE = b"data: [DONE]"

DIALECTS = {
    "model": Dialect(
        "/v1/chat/completions",
        lambda _: {"model": "gpt-4.1-mini", "stream": True, "messages": _SAID},
        b'data: {"id"',
        _DONE,
        {"Authorization": "Bearer sk-bench"},
    ),
    "ndjson": Dialect(
        "/v1/chat/stream",
        lambda session: {"sessionId": session, "message": QUESTION},
        b'{"type":"token"',
        b'{"type":"done"',
    ),
    "openai-chat": Dialect(
        "/v1/chat/completions",
        lambda session: {"model": "default", "user": session, "stream": True, "messages": _SAID},
        b'data: {"id"',
        _DONE,
        _BEARER,
    ),
    "openai-responses": Dialect(
        "/v1/responses",
        lambda session: {"model": "default", "user": session, "stream": True, "input": _SAID},
        b'data: {"type":"response.output_text.delta"',
        _DONE,
        _BEARER,
    ),
    "ai-sdk": Dialect(
        "/v1/ai-sdk/chat",
        lambda session: {"id": session, "messages": [{"role": "user", "parts": _PARTS}]},
        b'data: {"type":"text-delta"',
        _DONE,
    ),
    "ag-ui": Dialect(
        "/v1/ag-ui",
        lambda session: {"threadId": session, "runId": uuid.uuid4().hex, "messages": _SAID},
        b'data: {"type":"TEXT_MESSAGE_CONTENT"',
        b'data: {"type":"RUN_FINISHED"',
    ),
    "n8n": Dialect(
        "/v1/n8n",
        lambda session: {"action": "sendMessage", "sessionId": session, "chatInput": QUESTION},
        b'{"type":"item"',
        b'{"type":"end"',
        {"x-api-key": KEY, "Accept": "text/plain"},
    ),
    "deep-chat": Dialect(
        "/v1/deep-chat",
        lambda session: {"sessionId": session, "messages": [{"role": "user", "text": QUESTION}]},
        b'data: {"text"',
        b"0\r",  # the last chunk of the body: the format has no word for its end
        {"x-api-key": KEY, "Accept": "text/event-stream"},
    ),
}
"""By the name that metrics give to the protocol; ``model`` is the model's own, of the floor."""

OTHERS = tuple(name for name in DIALECTS if name not in ("model", "ndjson"))
"""The protocols beside our own."""
