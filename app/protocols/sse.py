"""Server-sent events, as the protocols that are made of them tell an answer.

After https://html.spec.whatwg.org/multipage/server-sent-events.html.
"""

import json
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii

import orjson

from app.domain.events import SourcesFound, TurnDone

DONE = b"data: [DONE]\n\n"
"""How OpenAI's streams end, and those after their manner."""

TEXT = "\0"
"""Stands for the text in the event that is the form of all deltas: see ``SseEncoder``."""
_TEXT = encode_basestring_ascii(TEXT)


def to_json(value: object) -> bytes:
    """Return a value as JSON in one line; half of a surrogate pair is legal there when escaped."""
    try:
        return orjson.dumps(value)
    except TypeError:  # half of a surrogate pair
        return json.dumps(value, separators=(",", ":")).encode()


def to_event(told: object, name: str = "") -> bytes:
    """Return an event with a value as its data."""
    head = f"event: {name}\n".encode() if name else b""
    return b"%bdata: %b\n\n" % (head, to_json(told))


class SseEncoder:
    """The part of an encoder that is the same in all of them: a delta for each read of the model.

    An heir calls ``say_as`` before the first token.
    """

    heartbeat = b": wait\n\n"

    def __init__(self) -> None:
        self._before = self._behind = ""
        self._has_said = False

    def say_as(self, event: bytes) -> None:
        """Take an event in which ``TEXT`` is said for the form of all deltas."""
        self._before, _, self._behind = event.decode().partition(_TEXT)

    def sources(self, event: SourcesFound) -> bytes:
        """Return nothing: these clients are told what was cited, at the end."""
        return b""

    def tokens(self, tokens: Sequence[str]) -> bytes:
        """Return a delta with what was said."""
        self._has_said = True
        return f"{self._before}{encode_basestring_ascii(''.join(tokens))}{self._behind}".encode()

    def unsaid(self, event: TurnDone) -> bytes:
        """Return a delta with what stands in for an answer without a word: it was in no token."""
        return b"" if self._has_said or not event.message else self.tokens([event.message])
