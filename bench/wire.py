"""What the fake model and the fake Convex say, byte for byte."""

import json
from typing import Any

CHUNK = (
    '{"id":"chatcmpl-B%027d","object":"chat.completion.chunk","created":1767225600,'
    '"model":"gpt-4.1-mini-2025-04-14","service_tier":"default","system_fingerprint":"fp_8b1fe0a1",'
    '"choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}],"usage":null,'
    '"obfuscation":"aZ3kQ9"}'
)
USAGE = (
    '{"id":"chatcmpl-B","object":"chat.completion.chunk","created":1767225600,'
    '"model":"gpt-4.1-mini-2025-04-14","choices":[],'
    '"usage":{"prompt_tokens":24,"completion_tokens":32,"total_tokens":56}}'
)
HEAD = (
    b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
    b"Content-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"
    b"Connection: keep-alive\r\nopenai-organization: bench\r\nopenai-processing-ms: 12\r\n"
    b"x-ratelimit-remaining-requests: 9999\r\nx-request-id: req_bench\r\n\r\n"
)


def _event(data: str) -> bytes:
    event = f"data: {data}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(event), event)


_TOKEN = "data: " + CHUNK % (7, '{"content":"@@"}', "null") + "\n\n"
_BEFORE, _AFTER = (part.encode() for part in _TOKEN.split("@@"))
ROLE = _event(CHUNK % (7, '{"role":"assistant","content":"","refusal":null}', "null"))
END = _event(CHUNK % (7, "{}", '"stop"')) + _event(USAGE) + _event("[DONE]") + b"0\r\n\r\n"


def token_event(stamp: bytes) -> bytes:
    """One token with its time, as an HTTP chunk."""
    event = b"%b word@%b%b" % (_BEFORE, stamp, _AFTER)
    return b"%x\r\n%b\r\n" % (len(event), event)


def convex_reply(body: bytes, history: int) -> Any:
    """Answer a call of one of our functions, which remember nothing here."""
    call = json.loads(body)
    value: Any = None
    match call["path"]:
        case "turns:begin":
            question = call["args"]["question"]
            said = {"content": "Hello, what can you do for me today?", "turnId": "turn-0000"}
            prompt = [{"role": ("user", "assistant")[n % 2], **said} for n in range(history - 1)]
            asked = {"role": "user", "content": question["content"], "turnId": question["turnId"]}
            value = {
                "outcome": "begun",
                "conversationId": "j" * 32,
                "attempt": 1.0,
                "prompt": [*prompt, asked],
            }
        case "turns:finish":
            value = {"messageId": "k" * 32}
        case "system:version":
            value = 1.0
        case "figures:read" | "switches:read":
            value = []
        case "switches:state":
            value = {"switches": [], "knowledge": []}
    return {"status": "success", "value": value, "logLines": []}
