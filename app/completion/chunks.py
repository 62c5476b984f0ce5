"""Reads a chat completion's event stream: bytes in, deltas out.

The bytes may be split anywhere. One network read costs one cut and one JSON
parse an event, and no object beside the deltas themselves.

Sources: the event stream format of the WHATWG HTML standard, section 9.2.6
(lines end in LF or CRLF here; a lone CR is not an end), and OpenAI's reference
of the chat completion chunk object.
"""

from typing import Any

from jiter import from_json

from app.conversation import Usage
from app.errors import ModelInterrupted, ModelUnavailable

MAX_EVENT_BYTES = 2 * 1024 * 1024


class ChunkReader:
    """Turns the stream's bytes into deltas, and keeps what else the chunks say."""

    __slots__ = ("_data", "_rest", "done", "finish_reason", "model", "refusal", "usage")

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self.done = False
        self.finish_reason: str | None = None
        self.model: str | None = None
        self.refusal: str | None = None
        self.usage: Usage | None = None

    def feed(self, received: bytes) -> list[str]:
        """Return the deltas that these bytes complete.

        Raises:
            ModelUnavailable: the provider reports an error inside the stream.
            ModelInterrupted: what came is not an event stream of chunks.
        """
        lines = (self._rest + received if self._rest else received).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > MAX_EVENT_BYTES:
            raise ModelInterrupted
        deltas: list[str] = []
        for line in lines:
            if line.endswith(b"\r"):
                line = line[:-1]
            if line.startswith(b"data:"):
                self._data.append(line[5:])
            elif not line and self._data:
                self._read_event(deltas)
        return deltas

    def _read_event(self, deltas: list[str]) -> None:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        self._data.clear()
        if self.done or data.strip() == b"[DONE]":
            self.done = True
            return
        try:
            self._read_chunk(from_json(data), deltas)
        except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
            raise ModelInterrupted from error

    def _read_chunk(self, chunk: Any, deltas: list[str]) -> None:
        choices = chunk.get("choices")
        if choices:
            choice = choices[0]
            delta = choice.get("delta")
            if delta:
                self._read_delta(delta, deltas)
            if choice.get("finish_reason"):
                self.finish_reason = str(choice["finish_reason"])
        if self.model is None and isinstance(chunk.get("model"), str):
            self.model = chunk["model"]
        usage = chunk.get("usage")
        if usage:
            self.usage = Usage(int(usage["prompt_tokens"]), int(usage["completion_tokens"]))
        if chunk.get("error"):
            raise ModelUnavailable

    def _read_delta(self, delta: Any, deltas: list[str]) -> None:
        content = delta.get("content")
        if content:
            if not isinstance(content, str):
                raise TypeError(content)
            deltas.append(content)
        refusal = delta.get("refusal")
        if refusal:
            self.refusal = (self.refusal or "") + str(refusal)
