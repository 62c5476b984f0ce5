"""Reads a chat completion's event stream: bytes in, deltas out.

The bytes may be split anywhere. Most reads bring one event that repeats an
earlier one but for its text: that one is cut out, and nothing is parsed. Any
other event costs one JSON parse, and what jiter refuses is read a second time:
``app.completion.surrogates``.

Sources: the event stream format of the WHATWG HTML standard, section 9.2.6
(lines end in LF or CRLF here; a lone CR is not an end), and OpenAI's reference
of the chat completion chunk object.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from jiter import from_json

from app.completion.protocol import Receive
from app.completion.surrogates import HalfJoiner
from app.conversation import Usage
from app.errors import ModelFailure, ModelInterrupted, ModelUnavailable

MAX_EVENT_BYTES = 2 * 1024 * 1024
_MAX_DONE_BYTES = 16
_MAX_TOKENS = 2**31
_BLANK = (b"", b"\r")
_CONTENT = b'"content"'
_PADDING = b'"obfuscation":"'
# Where a JSON string is its own text: no quote, no escape, no control character.
_is_plain = re.compile(rb'[^"\\\x00-\x1f]+').fullmatch


class ChunkReader:
    """Turns the stream's bytes into deltas, and keeps what else the chunks say.

    ``failure`` is set where the stream makes no sense, or reports an error of
    the provider: what was read before it stands, and nothing after it counts.
    """

    __slots__ = (
        "_after",
        "_before",
        "_data",
        "_halves",
        "_padding",
        "_parse",
        "_rest",
        "done",
        "failure",
        "finish_reason",
        "has_begun",
        "model",
        "receive",
        "refusal",
        "usage",
    )

    def __init__(self) -> None:
        self._rest = b""
        self._data: bytes | None = None
        self._parse: Callable[[bytes], Any] = from_json
        self._halves = HalfJoiner()
        # An event that was read: what stands before its text, and after it.
        self._before = b""
        self._after = b""
        # Between the two, behind the text, where the provider pads its events.
        self._padding = b""
        self.receive: Receive = _want_all
        self.has_begun = False
        self.done = False
        self.finish_reason: str | None = None
        self.model: str | None = None
        self.refusal: str | None = None
        self.usage: Usage | None = None
        self.failure: ModelFailure | None = None

    def take(self, received: bytes) -> bool:
        """Give ``receive`` the deltas that these bytes complete; answers whether more may come.

        More may not where ``receive`` does not want it, and where the stream has
        just told how it ends: there it is the caller's to look.
        """
        before, after = self._before, self._after
        if before and received.startswith(before) and received.endswith(after):
            text = received[len(before) : -len(after)]
            if self._padding:
                text, _, padding = text.partition(self._padding)
                if not padding.isalnum():
                    text = b""
            if _is_plain(text):
                try:
                    delta = text.decode()
                except UnicodeDecodeError:
                    pass  # the parser tells what is wrong
                else:
                    return self.receive([delta])
        was_finished = self.finish_reason
        deltas = self.feed(received)
        wanted = not deltas or self.receive(deltas)
        return (
            wanted and self.finish_reason is was_finished and not self.done and self.failure is None
        )

    def feed(self, received: bytes) -> list[str]:
        """Return the deltas that these bytes complete: what ``take`` does for any bytes."""
        began_at_rest = self._is_at_rest
        deltas: list[str] = []
        try:
            self._read(received, deltas)
        except ModelFailure as failure:
            self.failure = failure
        if not self._is_at_rest:
            self._before = b""
        elif began_at_rest and len(deltas) == 1:
            self._remember(received, deltas[0].encode())
        return deltas

    @property
    def _is_at_rest(self) -> bool:
        """Whether what comes next is the beginning of an event, and an answer goes on."""
        return not (
            self._rest
            or self._data is not None
            or self._halves.is_holding
            or self.finish_reason
            or self.refusal
            or self.done
            or self.failure
        )

    def _remember(self, event: bytes, text: bytes) -> None:
        """Note what an event says beside its text, if that can be told from the bytes.

        It can where there is one ``content`` and no escape: then whatever has the
        same bytes around another plain text means the same with that text.
        """
        self._before = b""
        colon, _, rest = event.partition(_CONTENT)[2].partition(b'"')
        if colon.strip() != b":" or not rest.startswith(text + b'"'):
            return
        if _CONTENT in rest or b"\\" in event:
            return
        self._before = event[: -len(rest)]
        after, padding = rest[len(text) :], b""
        head, mark, tail = after.partition(_PADDING)
        if mark:
            after, padding = tail[tail.index(b'"') :], head + mark
        self._after, self._padding = _shared(after), _shared(padding)

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
                self.has_begun = True
            if delta.get("refusal"):
                self.refusal = (self.refusal or "") + str(delta["refusal"])
        if choice.get("finish_reason"):
            self.finish_reason = str(choice["finish_reason"])


@lru_cache(64)
def _shared(data: bytes) -> bytes:
    """Return one copy of what stands in the events of all streams: it stays in the caches."""
    return data


def _want_all(_deltas: Sequence[str]) -> bool:
    return True


def _read_usage(told: Any) -> Usage | None:
    """Read the provider's count; one that makes no sense is none."""
    try:
        counts = int(told["prompt_tokens"]), int(told["completion_tokens"])
    except (ValueError, TypeError, LookupError, OverflowError):
        return None
    return Usage(*counts) if all(0 <= count <= _MAX_TOKENS for count in counts) else None
