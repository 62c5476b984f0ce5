"""What a provider's server does: the base of which each file here changes what is different.

A provider is one file with one class. ``settings`` are those of its row in
docs/models.md, ``…`` standing for a key; the rest is how its server answers.
The visitor's words decide what happens:

    "Please fail."               the failure that this provider is known for
    "Something forbidden."       what its filter does
    "At length, please."         an answer that is cut at the limit
    "Go on and on."              a few words, and then silence until the client leaves
    anything else                "Answer number n." to the n-th question of the prompt
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

KEY = "of-the-tests-0123456789"
HOLD = None
"""A step of an answer: say nothing more until the client leaves."""

Step = bytes | None
LONG = [f"word-{number} " for number in range(300)]


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    method: str
    host: str
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def roles(self) -> list[str]:
        return [said["role"] for said in self.body.get("messages", ())]


class Provider:
    """An OpenAI-compatible server without a will of its own."""

    title: ClassVar[str]
    settings: ClassVar[Mapping[str, str]]
    # What a visitor's program is told where the provider fails, and where it filters.
    fails_as: ClassVar[str] = "model_unavailable"
    filters_as: ClassVar[str] = "content_filter"
    # How many requests the first answer takes, and what the server is known to take then.
    first_tries: ClassVar[int] = 1
    takes: ClassVar[str] = "limit as max_tokens, no effort, streamed, usage asked for, system role"
    tells_usage: ClassVar[bool] = True
    # Of ``delta``: what a thought is called; none where it does not think.
    thought: ClassVar[str] = ""

    @property
    def environment(self) -> dict[str, str]:
        """The settings with a key in them."""
        return {name: value.replace("…", KEY) for name, value in self.settings.items()}

    @property
    def model(self) -> str:
        return self.settings.get("OPENAI_MODEL", "gpt-6-luna")

    @property
    def base(self) -> str:
        return self.settings.get("OPENAI_BASE_URL", "https://api.openai.com/v1")

    def respond(self, request: Request) -> Iterator[Step]:
        """Yield the pieces of one response."""
        root = urlsplit(self.base).path.rstrip("/")
        if not self.lets_in(request.headers):
            yield self.wrong_key()
        elif (request.method, request.path) == ("GET", f"{root}/models"):
            yield response(200, self.models())
        elif (request.method, request.path) != ("POST", f"{root}/chat/completions"):
            yield self.error(404, "Not Found")
        elif (refusal := self.refuse(request.body)) is not None:
            yield refusal
        else:
            yield from self.answer(request.body)

    def lets_in(self, headers: Mapping[str, str]) -> bool:
        key = self.environment.get("OPENAI_API_KEY")
        return headers.get("authorization") == (f"Bearer {key}" if key else None)

    def wrong_key(self) -> bytes:
        return self.error(401, "Incorrect API key provided", code="invalid_api_key")

    def models(self) -> Any:
        return {"object": "list", "data": [{"id": self.model, "object": "model"}]}

    def refuse(self, body: Mapping[str, Any]) -> bytes | None:
        """Return the refusal of a request that this server would not take."""
        return None

    def error(self, status: int, message: str, **more: Any) -> bytes:
        """Return an error as this server writes it."""
        return response(status, {"error": {"message": message, "type": "error", **more}})

    def answer(self, body: Mapping[str, Any]) -> Iterator[Step]:
        asked = [said["content"] for said in body["messages"] if said["role"] == "user"]
        # Behind a question that nobody answered, and behind instructions.
        question = asked[-1].rpartition("\n\n")[2]
        if "fail" in question:
            yield from self.fail(body)
        elif "forbidden" in question:
            yield from self.filter(body)
        elif "length" in question:
            yield from self.stream(body, LONG, self.reason("length"))
        elif "on and on" in question:
            yield self.head()
            yield from self.events(body, ["And", " on"])
            yield HOLD
        else:
            words = ["Answer", " number ", f"{len(asked)}", "."]
            yield from self.stream(body, words, self.reason("stop"))

    def reason(self, kind: str) -> str:
        """Return this server's word for an end."""
        return kind

    def fail(self, body: Mapping[str, Any]) -> Iterator[Step]:
        yield self.error(503, "The server is overloaded")

    def filter(self, body: Mapping[str, Any]) -> Iterator[Step]:
        yield from self.stream(body, [], "content_filter")

    def stream(self, body: Mapping[str, Any], words: Sequence[str], reason: str) -> Iterator[Step]:
        yield self.head()
        yield from self.events(body, words)
        yield self.event(self.chunk({}, reason))
        if self.tells_usage:
            yield from self.usage(body, len(words))
        yield self.done() + b"0\r\n\r\n"

    def events(self, body: Mapping[str, Any], words: Sequence[str]) -> Iterator[Step]:
        yield self.event(self.chunk({"role": "assistant", "content": ""}))
        if self.thinks(body):
            yield self.event(self.chunk({self.thought: "The visitor wants to know."}))
        for word in words:
            yield self.event(self.chunk({"content": word}))

    def thinks(self, body: Mapping[str, Any]) -> bool:
        return bool(self.thought) and body.get("reasoning_effort") != "none"

    def usage(self, body: Mapping[str, Any], count: int, reasoning: int = 0) -> Iterator[bytes]:
        if (body.get("stream_options") or {}).get("include_usage"):
            yield self.event({**self.chunk({}), "choices": [], "usage": usage(count, reasoning)})

    def chunk(self, delta: Mapping[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1_790_000_000,
            "model": self.model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        }

    def head(self) -> bytes:
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )

    def event(self, data: Any, name: str = "") -> bytes:
        line = f"event: {name}\n" if name else ""
        return framed(f"{line}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode())

    def done(self) -> bytes:
        return framed(b"data: [DONE]\n\n")


def usage(count: int, reasoning: int = 0) -> dict[str, Any]:
    told: dict[str, Any] = {
        "prompt_tokens": 20,
        "completion_tokens": count + reasoning,
        "total_tokens": 20 + count + reasoning,
    }
    if reasoning:
        told["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return told


def framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def response(status: int, told: Any, *headers: str) -> bytes:
    body = json.dumps(told).encode()
    lines = [f"HTTP/1.1 {status} Said", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def alternates(body: Mapping[str, Any]) -> bool:
    """Tell whether a strict chat template takes these messages."""
    roles = [said["role"] for said in body["messages"]]
    turns = roles[1:] if roles[0] == "system" else roles
    return turns == ["user", "assistant"] * (len(turns) // 2) + ["user"]
