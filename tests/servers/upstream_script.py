"""What the scripted upstream says: a ``Script``, and the steps that it turns into.

Pure: bytes, pauses and ends, no socket. ``tests/servers/upstream.py`` plays the steps
and documents the whole.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

MODEL = "gpt-4.1-mini-2025-04-14"
CREATED = 1767225600
PROMPT_TOKENS = 24
LONG_LINE_CHARS = 1_000_000
FLOOD_CHARS = 10_000_000

MARKER = re.compile(r"\[\[upstream (\{.*?\})\]\]", re.DOTALL)

# What a careless parser trips over: quotes, newlines, escapes, characters of 2 to 4 bytes.
WORDS = (
    "The",
    " answer",
    " is",
    ' "42"',
    ",",
    " café",
    " \\o",
    "\n",
    " 你好",
    " 👋",
    " data:",
    " {x}",
)

FAULTS = (
    "hang",            # takes the request, never answers
    "hang_headers",    # half of the headers, then silence
    "hang_body",       # the headers, then silence
    "stall",           # silence after `at` tokens, until release()
    "cut",             # FIN after `at` tokens, no last chunk
    "reset",           # RST after `at` tokens
    "end",             # a clean end after `at` tokens, without a finish reason
    "done",            # the same, with [DONE]
    "html",            # a proxy's page, status 200
    "garbage",         # no HTTP at all
    "json",            # a corrupt chunk after `at` tokens, then the rest
    "utf8",            # bytes that are no UTF-8 after `at` tokens, then the rest
    "error_event",     # an error object in the stream after `at` tokens, then the end
    "long_line",       # one delta of 1 MB after `at` tokens, then the rest
    "flood",           # 10 MB of deltas as fast as the reader takes them
)  # fmt: skip


@dataclass(frozen=True)
class Send:
    data: bytes
    token: bool = False


@dataclass(frozen=True)
class Wait:
    seconds: float


@dataclass(frozen=True)
class Hold:
    """Silence until the test releases it, or for ever."""

    releasable: bool = False


@dataclass(frozen=True)
class Close:
    reset: bool = False


Step = Send | Wait | Hold | Close


@dataclass(frozen=True)
class Script:
    """How one request is answered; every field can stand in a marker."""

    tokens: int | Sequence[str] = 5
    gap_ms: float = 0.0  # between tokens
    head_ms: float = 0.0  # before the status line
    first_ms: float = 0.0  # between the headers and the first token
    status: int = 200
    code: str = "scripted"  # `error.code` of a status other than 200
    headers: dict[str, str] = field(default_factory=dict)  # more of them, such as Retry-After
    finish: str | None = "stop"
    usage: Literal["asked", "always", "never"] = "asked"
    # What the usage tells of the prompt; it may be counted in the request's body.
    prompt_tokens: int | Callable[[dict[str, Any]], int] = PROMPT_TOKENS
    refusal: bool = False  # the tokens are the model's refusal
    fault: str = ""
    at: int = 2  # the tokens before the fault strikes
    split: int = 0  # bytes a write; 0: one event a write
    newline: str = "\n"  # or "\r\n"
    comments: bool = False  # a ": ping" before every event
    batch: int = 1  # events a write
    body: str | None = None  # this body in place of all, compressed if a header says gzip

    def __post_init__(self) -> None:
        if self.fault and self.fault not in FAULTS:
            raise ValueError(f"no such fault: {self.fault}")

    @property
    def deltas(self) -> tuple[str, ...]:
        """The tokens that a faultless run would send."""
        if isinstance(self.tokens, int):
            return tuple(WORDS[index % len(WORDS)] for index in range(self.tokens))
        return tuple(self.tokens)


def words(count: int) -> str:
    """Return the text that ``tokens=count`` adds up to, trimmed as an answer is."""
    return "".join(Script(tokens=count).deltas).strip()


def changed(script: Script, changes: dict[str, Any]) -> Script:
    """Return the script with these fields; an unknown one is the test's mistake."""
    unknown = set(changes) - {each.name for each in fields(Script)}
    if unknown:
        raise ValueError(f"no such field of Script: {sorted(unknown)}")
    return replace(script, **changes)


def marked(script: Script, body: dict[str, Any]) -> Script:
    """Apply the last marker in the last user message, if there is one.

    A question that was not answered stands in that message, too, before the next.
    """
    asked = [m for m in body.get("messages", ()) if m.get("role") == "user"]
    found = MARKER.findall(str(asked[-1].get("content", ""))) if asked else []
    return changed(script, json.loads(found[-1])) if found else script


def steps(script: Script, body: dict[str, Any]) -> Iterator[Step]:
    """Turn a script into what happens on the connection, in order."""
    if script.fault == "hang":
        yield Hold()
    if script.head_ms:
        yield Wait(script.head_ms / 1000)
    if script.body is not None:
        yield Send(_whole_response(script, script.body))
    elif script.fault == "garbage":
        yield Send(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        yield Close()
    elif script.fault == "html":
        page = b"<!doctype html><title>Sign in to the network</title>"
        yield Send(response_head(200, {"Content-Type": "text/html"}, len(page)) + page)
    elif script.status != 200:
        yield from _refuse(script)
    elif not body.get("stream"):
        yield Send(_whole(script, body))
    else:
        yield from _stream(script, body)


def _whole_response(script: Script, body: str) -> bytes:
    data = body.encode()
    kind = "text/event-stream" if script.status == 200 else "application/json"
    headers = {"Content-Type": kind, **script.headers}
    if headers.get("Content-Encoding") == "gzip":
        data = gzip.compress(data)
    return response_head(script.status, headers, len(data)) + data


def _refuse(script: Script) -> Iterator[Step]:
    error = {"message": "Scripted by the test: sk-secret-of-the-owner", "code": script.code}
    page = json.dumps({"error": error}).encode()
    headers = {"Content-Type": "application/json", **script.headers}
    yield Send(response_head(script.status, headers, len(page)) + page)


def _stream(script: Script, body: dict[str, Any]) -> Iterator[Step]:
    head = response_head(
        200, {"Content-Type": "text/event-stream; charset=utf-8", **script.headers}
    )
    if script.fault == "hang_headers":
        yield Send(head[: len(head) // 2])
        yield Hold()
    yield Send(head)
    if script.fault == "hang_body":
        yield Hold()
    if script.first_ms:
        yield Wait(script.first_ms / 1000)
    for data, token in _cut(script, _events(script, body)):
        if isinstance(data, bytes):
            yield from _split(script, data, token=token)
        else:
            yield data


def _cut(
    script: Script, events: Iterator[tuple[bytes | Step, bool]]
) -> Iterator[tuple[bytes | Step, bool]]:
    """Join ``batch`` events into one write."""
    held: list[bytes] = []
    for data, token in events:
        if isinstance(data, bytes):
            held.append(data)
        if held and (len(held) >= script.batch or not isinstance(data, bytes)):
            yield b"".join(held), token
            held.clear()
        if not isinstance(data, bytes):
            yield data, False
    if held:
        yield b"".join(held), False


def _split(script: Script, data: bytes, *, token: bool) -> Iterator[Step]:
    size = script.split or len(data)
    for start in range(0, len(data), size):
        last = start + size >= len(data)
        yield Send(data[start : start + size], token=token and last)
        if script.split and not last:
            yield Wait(0)
    if token and script.gap_ms:
        yield Wait(script.gap_ms / 1000)


def _events(script: Script, body: dict[str, Any]) -> Iterator[tuple[bytes | Step, bool]]:
    yield _event(script, {"role": "assistant", "content": ""}), False
    part = "refusal" if script.refusal else "content"
    for index, delta in enumerate(script.deltas):
        if index == script.at and script.fault:
            yield from _strike(script)
        yield _event(script, {part: delta}), True
    if script.fault and len(script.deltas) <= script.at:
        yield from _strike(script)
    if script.finish is not None:
        yield _event(script, {}, script.finish), False
    asked = bool((body.get("stream_options") or {}).get("include_usage"))
    if script.usage == "always" or (script.usage == "asked" and asked):
        yield _event(script, None, usage=_usage(script, body)), False
    yield _chunk(script, "[DONE]") + b"0\r\n\r\n", False


def _strike(script: Script) -> Iterator[tuple[bytes | Step, bool]]:
    fault = script.fault
    if fault == "stall":
        yield Hold(releasable=True), False
    elif fault in ("cut", "reset"):
        yield Close(reset=fault == "reset"), False
    elif fault in ("end", "done"):
        yield (_chunk(script, "[DONE]") if fault == "done" else b"") + b"0\r\n\r\n", False
        yield Close(), False
    elif fault == "json":
        yield _chunk(script, '{"id":"chatcmpl-x","choices":[{"delta":{"content":"tr'), False
    elif fault == "utf8":
        corrupt = b'{"choices":[{"index":0,"delta":{"content":"\xff\xfe\xc3"}}]}'
        yield _frame(b"data: " + corrupt + b"\n\n"), False
    elif fault == "error_event":
        yield _chunk(script, '{"error":{"message":"sk-secret","type":"server_error"}}'), False
        yield b"0\r\n\r\n", False
        yield Close(), False
    elif fault == "long_line":
        yield _event(script, {"content": "x" * LONG_LINE_CHARS}), True
    elif fault == "flood":
        for _ in range(FLOOD_CHARS // 1000):
            yield _event(script, {"content": "y" * 1000}), True


def _event(
    script: Script,
    delta: dict[str, str] | None,
    finish: str | None = None,
    usage: dict[str, int] | None = None,
) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    chunk = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": MODEL,
        "choices": choices,
    }
    return _chunk(script, json.dumps(chunk if usage is None else {**chunk, "usage": usage}))


def _chunk(script: Script, data: str) -> bytes:
    comment = f": ping{script.newline}{script.newline}" if script.comments else ""
    return _frame(f"{comment}data: {data}{script.newline}{script.newline}".encode())


def _frame(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def response_head(status: int, headers: dict[str, str], length: int | None = None) -> bytes:
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status} Scripted", *lines, framing, "", ""]).encode()


def _whole(script: Script, body: dict[str, Any]) -> bytes:
    part = "refusal" if script.refusal else "content"
    message = {"role": "assistant", "content": None, part: "".join(script.deltas)}
    completion = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": CREATED,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": script.finish}],
        "usage": _usage(script, body),
    }
    page = json.dumps(completion).encode()
    return response_head(200, {"Content-Type": "application/json"}, len(page)) + page


def _usage(script: Script, body: dict[str, Any]) -> dict[str, int]:
    told = script.prompt_tokens
    prompt_tokens = told(body) if callable(told) else told
    completion_tokens = len(script.deltas)
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }
