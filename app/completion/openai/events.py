"""Reads a chat completion as it comes: bytes in, deltas out. ``shortcut`` does so faster.

The bytes may be split anywhere. What jiter refuses is read a second time:
``app.completion.openai.surrogates``. What begins like a document or a page is no
event stream: ``app.completion.openai.bodies``.

Sources: the event stream format of the WHATWG HTML standard, section 9.2.6, and
OpenAI's reference of the chat completion chunk object.
"""

from collections.abc import Callable, Sequence
from typing import Any

from jiter import from_json

from app.completion.causes import Redaction
from app.completion.endings import has_ended, join_reasons
from app.completion.openai.bodies import failure_of_document, not_a_stream
from app.completion.openai.chunk_parts import (
    find_choice,
    find_error,
    find_part,
    find_usage,
    has_thought,
    is_heartbeat,
    objects_of,
    read_text,
    read_usage,
)
from app.completion.openai.refusals import failure_of, parse_error, read_error
from app.completion.openai.surrogates import HalfJoiner
from app.completion.protocol import Outcome, Receive
from app.completion.thinking import HeadFilter
from app.domain.conversation import Usage
from app.domain.errors import ModelFailure, ModelInterrupted

MAX_EVENT_BYTES = 2 * 1024 * 1024
_MAX_DONE_BYTES = 16
_DONE = b"[DONE]"
# Around an event's data.
_MAX_BLANKS = 64
_BOM = b"\xef\xbb\xbf"
_SPACES = b" \t\r\n"
# What more comes to, piece by piece.
Growing = bytes | bytearray
# Names of events whose data is a chunk, or should be.
_CHUNK_EVENTS = (b"", b"message", b"error")


class EventReader(Outcome):
    """Turns a completion's bytes into deltas, and keeps what else they say.

    ``failure`` is set where the stream makes no sense, or reports an error of
    the provider: what was read before it stands, and nothing after it counts.
    ``receive`` is given the deltas.
    """

    __slots__ = (
        "_data",
        "_document",
        "_event",
        "_halves",
        "_head",
        "_hide",
        "_is_after_cr",
        "_is_opened",
        "_media_type",
        "_parse",
        "_rest",
        "done",
        "failure",
        "has_chunks",
        "has_lines",
        "receive",
    )

    def __init__(self, hide: Redaction | None = None, media_type: str = "") -> None:
        super().__init__()
        self._hide = hide or Redaction()
        self._media_type = media_type
        # Until the first byte that is no blank tells what comes.
        self._is_opened = False
        self._document: bytearray | None = None
        self._rest: Growing = b""
        # The last byte was a CR: an LF that follows belongs to it.
        self._is_after_cr = False
        self._data: Growing | None = None
        self._event = b""
        self._parse: Callable[[bytes], Any] = from_json
        self._halves = HalfJoiner()
        # Until the first word that is no thought.
        self._head: HeadFilter | None = HeadFilter()
        self.has_chunks = False
        self.has_lines = False
        self.done = False
        self.failure: ModelFailure | None = None
        self.receive: Receive = _want_all

    @property
    def has_only_thought(self) -> bool:
        """Whether a thought began in the text and never ended."""
        return self._head is not None and self._head.is_thinking

    @property
    def is_between_events(self) -> bool:
        """Whether what comes next is the beginning of an event, and an answer goes on."""
        return not (
            self._rest
            or self._data is not None
            or self._event
            or self._document is not None
            or self._halves.is_holding
            or self.finish_reason
            or self.refusal
            or self.done
            or self.failure
        )

    def take(self, received: bytes) -> bool:
        """Give ``receive`` the deltas that these bytes complete; answers whether more may come.

        More may not where ``receive`` does not want it, and where the stream has
        just told how it ends: there it is the caller's to look.
        """
        was_finished = self.finish_reason is not None
        return self._hand_on(self.feed(received), was_finished)

    def _hand_on(self, deltas: Sequence[str], was_finished: bool) -> bool:
        wanted = not deltas or self.receive(deltas)
        is_finished = self.finish_reason is not None and not was_finished
        return wanted and not (is_finished or self.done or self.failure)

    def feed(self, received: bytes) -> list[str]:
        """Return the deltas that these bytes complete."""
        deltas: list[str] = []
        if self._is_after_cr or b"\r" in received:
            received = self._end_in_lf(received)
        try:
            self._read(received, deltas)
        except ModelFailure as failure:
            self.failure = failure
        return deltas

    def end(self) -> list[str]:
        """Take the body's end: return what was held back until then."""
        deltas: list[str] = []
        try:
            if self._document is not None:
                self._read_document(bytes(self._document), deltas)
            elif self._rest or self._data is not None:
                self._read(b"\n\n", deltas)  # which some servers forget
        except ModelFailure as failure:
            self.failure = failure
        if not self.failure:
            self._flush(deltas)
        return deltas

    def _read(self, received: bytes, deltas: list[str]) -> None:
        if not self._is_opened:
            received = self._open(bytes(self._rest) + received)
        if self._document is not None:
            self._document += received
            if len(self._document) > MAX_EVENT_BYTES:
                raise not_a_stream(self._media_type)
            return
        if self._rest and b"\n" not in received:
            # In place: what comes in many small pieces would be copied with each of them.
            rest = self._rest = _growing(self._rest)
            rest += received
        else:
            lines = (bytes(self._rest) + received if self._rest else received).split(b"\n")
            self._rest = lines.pop()
            self._read_lines(lines, deltas)
        if len(self._rest) + len(self._data or b"") > MAX_EVENT_BYTES:
            raise _nonsense("an event has no end")

    def _read_lines(self, lines: list[bytes], deltas: list[str]) -> None:
        data = self._data
        for line in lines:
            if line.startswith(b"data:"):
                data = line[5:] if data is None else self._join(data, line[5:], deltas)
            elif not line:
                if data is not None:
                    self._read_event(bytes(data), deltas)
                    data = None
                self._event = b""
            else:
                data = self._read_field(line, data)
        self._data = data

    def _read_field(self, line: bytes, data: Growing | None) -> Growing | None:
        """Note an event's name; return its data, which is an error's where llama.cpp tells one."""
        name, _, value = line.partition(b":")
        if name == b"event":
            self._event = value.strip()
        elif name == b"error":
            self._event, data = name, value
        return data

    def _end_in_lf(self, received: bytes) -> bytes:
        """Give each line the same end: some servers write CRLF or CR, some mix them."""
        if not received:
            return received
        if self._is_after_cr:
            received = received.removeprefix(b"\n")
        self._is_after_cr = received.endswith(b"\r")
        return received.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _join(self, data: Growing, line: bytes, deltas: list[str]) -> Growing:
        """Add a line to an event's data; some servers forget the blank line between two events."""
        rest = line.strip()
        if (rest[:1] == b"{" or rest == _DONE) and _is_object(data):
            self._read_event(bytes(data), deltas)
            return line
        data = _growing(data)
        data += b"\n" + line
        return data

    def _open(self, received: bytes) -> bytes:
        """Find out whether this is an event stream; return its bytes."""
        self._rest = b""
        received = received.lstrip(_SPACES)
        while received.startswith(_BOM):
            received = received[len(_BOM) :].lstrip(_SPACES)
        if _BOM.startswith(received):
            self._rest = received
            return b""
        self._is_opened = self.has_lines = True
        if received[:1] == b"<":
            raise not_a_stream(self._media_type)
        if received[:1] in (b"{", b"["):
            self._document = bytearray()
        return received

    def _read_event(self, data: bytes, deltas: list[str]) -> None:
        if self.done or (len(data) < _MAX_DONE_BYTES and data.strip(b' \t\r"').upper() == _DONE):
            self.done = True
            self._flush(deltas)
            return
        try:
            try:
                chunk = self._parse(data)
            except ValueError:
                chunk = self._parse_halves(data)
        except ValueError as error:
            self._skip_or_fail(data, error)
            return
        for each in objects_of(chunk):
            self._read_chunk(each, data, deltas)

    def _skip_or_fail(self, data: bytes, error: ValueError) -> None:
        """Pass over data that is none, or of an event that is no chunk."""
        if not data.strip() or is_heartbeat(data):
            return
        if self._event == b"error":
            raise failure_of(read_error(0, data), self._hide) from None
        if self._event in _CHUNK_EVENTS or b'"choices"' in data:
            raise _nonsense("a chunk is no JSON") from error

    def _read_chunk(self, chunk: dict[str, Any], data: bytes, deltas: list[str]) -> None:
        self.has_chunks = True
        try:
            choice = find_choice(chunk)
            told = find_error(chunk, choice)
            if choice is not None:
                self._read_choice(choice, data, deltas, is_failed=told is not None)
            if self.model is None and isinstance(chunk.get("model"), str):
                self.model = chunk["model"]
            told_usage = find_usage(chunk, choice)
            if told_usage:
                self._keep_usage(read_usage(told_usage))
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise _nonsense("a chunk makes no sense") from error
        if told is None and choice is None and self._event == b"error":
            told = chunk
        if told is not None:
            self._flush(deltas)
            raise failure_of(parse_error({"error": told}), self._hide)

    def _keep_usage(self, usage: Usage | None) -> None:
        # One of nought, or that makes no sense, takes no good one's place.
        if usage is not None and (self.usage is None or usage.prompt_tokens > 0):
            self.usage = usage

    def _parse_halves(self, data: bytes) -> Any:
        chunk = self._halves.read(data)
        self._parse = self._parse_halves if self._halves.is_holding else from_json
        return chunk

    def _read_choice(self, choice: Any, data: bytes, deltas: list[str], *, is_failed: bool) -> None:
        # Once it speaks, a `message` beside the `delta` sums up what was said.
        part = choice["delta"] if self.has_begun and "delta" in choice else find_part(choice)
        if part:
            if not self.has_thought:
                self.has_thought = has_thought(part)
            content = part.get("content")
            text = content if isinstance(content, str) else read_text(content, data)
            if text:
                if self._head is None:
                    deltas.append(text)
                else:
                    self._say(text, deltas)
            refusal = part.get("refusal")
            if refusal:
                self.refusal = (self.refusal or "") + str(refusal)
        reason = choice.get("finish_reason")
        if reason and not is_failed and has_ended(reason):
            self.finish_reason = join_reasons(self.finish_reason, str(reason))
            self._flush(deltas)

    def _say(self, text: str, deltas: list[str]) -> None:
        head = self._head
        if head is not None:
            text = head.take(text)
            self.has_thought = self.has_thought or head.has_thought
            if head.is_over:
                self._begin()
        if text:
            deltas.append(text)

    def _begin(self) -> None:
        self._head = None
        self.has_begun = True
        self._hide.keep_newest()

    def _flush(self, deltas: list[str]) -> None:
        """Give what was held back for more that will not come."""
        for text in self._halves.end():
            self._say(text, deltas)
        head = self._head
        if head is not None and (text := head.end()):
            deltas.append(text)
            self._begin()

    def _read_document(self, document: bytes, deltas: list[str]) -> None:
        chunks = objects_of(self._parse_document(document))
        if not chunks:
            raise not_a_stream(self._media_type)
        if not any(chunk.get("choices") for chunk in chunks):
            if find_error(chunks[0], None) is not None:
                raise failure_of_document(chunks[0], self._media_type, self._hide)
            raise not_a_stream(self._media_type, "without an answer")
        for chunk in chunks:
            self._read_chunk(chunk, document, deltas)
        self.done = True

    def _parse_document(self, document: bytes) -> Any:
        try:
            return from_json(document)
        except ValueError:
            pass
        try:
            return self._halves.read(document)
        except ValueError as error:
            if b'"choices"' not in document:
                raise not_a_stream(self._media_type) from None
            broken = error
        try:
            return [from_json(line) for line in document.splitlines() if line.strip()]
        except ValueError:
            raise _nonsense("a completion is no JSON") from broken


def _growing(data: Growing) -> bytearray:
    return data if isinstance(data, bytearray) else bytearray(data)


def _is_object(data: Growing) -> bool:
    return data[:_MAX_BLANKS].lstrip()[:1] == b"{" and data[-_MAX_BLANKS:].rstrip()[-1:] == b"}"


def _nonsense(cause: str) -> ModelInterrupted:
    failure = ModelInterrupted()
    failure.cause = cause
    return failure


def _want_all(_deltas: Sequence[str]) -> bool:
    return True
