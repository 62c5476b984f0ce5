"""Reads a chat completion's event stream: bytes in, deltas out.

The bytes may be split anywhere. One network read costs one cut and one JSON
parse an event, and no object beside the deltas themselves. Only an event that
jiter refuses is read a second time: ``app.completion.surrogates``.

Sources: the event stream format of the WHATWG HTML standard, section 9.2.6
(lines end in LF or CRLF here; a lone CR is not an end), and OpenAI's reference
of the chat completion chunk object.
"""

from collections.abc import Callable
from typing import Any

from jiter import from_json

from app.completion.surrogates import HalfJoiner
from app.conversation import Usage
from app.errors import ModelFailure, ModelInterrupted, ModelUnavailable

MAX_EVENT_BYTES = 2 * 1024 * 1024
_MAX_DONE_BYTES = 16
_MAX_TOKENS = 2**31
_BLANK = (b"", b"\r")


class ChunkReader:
    """Turns the stream's bytes into deltas, and keeps what else the chunks say.

    ``failure`` is set where the stream makes no sense, or reports an error of
    the provider: what was read before it stands, and nothing after it counts.
    """

    __slots__ = (
        "_data",
        "_halves",
        "_parse",
        "_rest",
        "done",
        "failure",
        "finish_reason",
        "model",
        "refusal",
        "usage",
    )

    def __init__(self) -> None:
        self._rest = b""
        self._data: bytes | None = None
        self._parse: Callable[[bytes], Any] = from_json
        self._halves = HalfJoiner()
        self.done = False
        self.finish_reason: str | None = None
        self.model: str | None = None
        self.refusal: str | None = None
        self.usage: Usage | None = None
        self.failure: ModelFailure | None = None

    def feed(self, received: bytes) -> list[str]:
        """Return the deltas that these bytes complete."""
        deltas: list[str] = []
        try:
            self._read(received, deltas)
        except ModelFailure as failure:
            self.failure = failure
        return deltas

    def _read(self, received: bytes, deltas: list[str]) -> None:
        lines = (self._rest + received if self._rest else received).split(b"\n")
        self._rest = lines.pop()
        data = self._data
        for line in lines:
            if line.startswith(b"data:"):
                data = line[5:] if data is None else data + b"\n" + line[5:]
            elif data is not None and line in _BLANK:
                self._read_event(data, deltas)
                data = None
        self._data = data
        if len(self._rest) + len(data or b"") > MAX_EVENT_BYTES:
            raise ModelInterrupted

    def _read_event(self, data: bytes, deltas: list[str]) -> None:
        if self.done or (len(data) < _MAX_DONE_BYTES and data.strip() == b"[DONE]"):
            self.done = True
            deltas.extend(self._halves.end())
            return
        try:
            try:
                chunk = self._parse(data)
            except ValueError:
                chunk = self._parse_halves(data)
            choices = chunk.get("choices")
            if choices:
                self._read_choice(choices[0], deltas)
            if self.model is None and isinstance(chunk.get("model"), str):
                self.model = chunk["model"]
            usage = chunk.get("usage")
            if usage:
                self.usage = _read_usage(usage)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise ModelInterrupted from error
        if chunk.get("error"):
            raise ModelUnavailable

    def _parse_halves(self, data: bytes) -> Any:
        chunk = self._halves.read(data)
        self._parse = self._parse_halves if self._halves.is_holding else from_json
        return chunk

    def _read_choice(self, choice: Any, deltas: list[str]) -> None:
        delta = choice.get("delta")
        if delta:
            content = delta.get("content")
            if content:
                if not isinstance(content, str):
                    raise TypeError(content)
                deltas.append(content)
            if delta.get("refusal"):
                self.refusal = (self.refusal or "") + str(delta["refusal"])
        if choice.get("finish_reason"):
            self.finish_reason = str(choice["finish_reason"])


def _read_usage(told: Any) -> Usage | None:
    """Read the provider's count; one that makes no sense is none."""
    try:
        counts = int(told["prompt_tokens"]), int(told["completion_tokens"])
    except (ValueError, TypeError, LookupError, OverflowError):
        return None
    return Usage(*counts) if all(0 <= count <= _MAX_TOKENS for count in counts) else None
