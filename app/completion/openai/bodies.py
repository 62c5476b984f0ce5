"""What a 200 brings that is no event stream: compressed, one JSON document, a page."""

import zlib
from collections.abc import Callable
from typing import Any

from app.completion.mends import ADDRESS
from app.completion.openai.refusals import failure_of, parse_error
from app.domain.errors import ModelFailure, ModelInterrupted, ModelMisconfigured, ModelUnavailable

# The last three are no encodings, but are sent by who means that there is none.
_PLAIN = ("", "identity", "none", "utf-8", "utf8")
_INFLATED = ("gzip", "x-gzip", "deflate")
# A byte may become a thousand: what comes of one read is handed over in pieces,
# and no more of them before the reader has been asked again.
_PIECE_BYTES = 64 * 1024
_MAX_BYTES_A_TURN = 1024 * 1024
_MAX_BYTES = 64 * 1024 * 1024
_MAX_ERROR_BYTES = 1024 * 1024
_ANY_HEADER = 32 + zlib.MAX_WBITS
_GZIP = b"\x1f\x8b"
# How what is not compressed begins: an event, a document, a page.
_TEXTS = (b"data:", b"event:", b"id:", b"retry:", b":", b"{", b"[", b"<", b"\n", b"\r", b" ")


def read_encoding(told: str | None) -> str:
    """Return how a body is compressed; an empty text where it is not.

    Raises:
        ModelMisconfigured: in a way that nobody asked for.
    """
    encoding = (told or "").strip().lower()
    if encoding in _PLAIN:
        return ""
    if encoding in _INFLATED:
        return encoding
    failure = ModelMisconfigured()
    name = encoding if encoding.isascii() and encoding.isalnum() else "unknown"
    failure.cause = f"answered with Content-Encoding {name}: switch that off at the model's proxy"
    raise failure


def inflate(body: bytes, told: str | None) -> bytes:
    """Return an error's body as it was before its server compressed it, if that can be told."""
    if (told or "").strip().lower() not in _INFLATED or body.startswith(_TEXTS):
        return body
    try:
        return bytes(_decompressor(body).decompress(body, _MAX_ERROR_BYTES))
    except zlib.error:
        return b""


def not_a_stream(media_type: str, said: str = "not an event stream") -> ModelMisconfigured:
    """Say that what answers is no model's API, and which setting leads there."""
    failure = ModelMisconfigured()
    failure.mend = ADDRESS
    kind = media_type.partition(";")[0].strip().lower()
    known = (
        kind if kind.isascii() and kind.isprintable() and len(kind) <= 60 else "of a strange type"
    )
    failure.cause = (
        f"answered 200 {known or 'without a type'}, {said}: does OPENAI_BASE_URL end in /v1?"
    )
    return failure


def failure_of_document(told: Any, media_type: str, hide: Callable[[str], str]) -> ModelFailure:
    """Name the error that stands in a document sent as 200.

    Where nothing tells that the model is in trouble, it is the address: a
    server that knows it answers requests that it does not understand with 200.
    """
    failure = failure_of(parse_error(told), hide)
    if type(failure) is ModelUnavailable and not failure.is_explained:
        return not_a_stream(media_type, f"and says: {failure.cause or 'nothing of use'}")
    return failure


class Inflater:
    """Stands before a reader of bytes, and gives it what it can read.

    Some servers compress each event for itself, and some only say that they
    compress: both are read. Raises nothing: ``failure`` says what is wrong.
    """

    def __init__(self, consume: Callable[[bytes], bool]) -> None:
        self._consume = consume
        self._zlib: Any = None
        self._is_plain = False
        self._held = b""
        # There may be more of what went in already.
        self._has_more = False
        self._total = 0
        self.failure: ModelInterrupted | None = None

    def take(self, received: bytes) -> bool:
        """Hand on what these bytes become; answers whether more may come."""
        if self._is_plain:
            return self._consume(received)
        self._held += received
        return self.resume()

    def resume(self) -> bool:
        """Hand on what was held back; answers whether nothing is held any more."""
        before = self._total
        while self._held or self._has_more:
            if (self._zlib is None or self._zlib.eof) and not self._begin():
                return True
            if self._is_plain:
                held, self._held = self._held, b""
                return self._consume(held)
            try:
                piece = self._zlib.decompress(self._held, _PIECE_BYTES)
            except zlib.error:
                return self._fail("what came is not compressed as it is said to be")
            self._held = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
            self._has_more = len(piece) == _PIECE_BYTES and not self._zlib.eof
            self._total += len(piece)
            if self._total > _MAX_BYTES:
                return self._fail("a compressed answer has no end")
            if piece and not self._consume(piece):
                return False
            if self._total - before >= _MAX_BYTES_A_TURN:
                return not self.is_holding
        return True

    def _begin(self) -> bool:
        """Find out how what comes is compressed; false where too little came, or nothing more."""
        is_first = self._zlib is None
        if is_first and self._held.startswith(_TEXTS):
            self._is_plain = True
        elif not is_first and not _GZIP.startswith(self._held[:2]):
            self._held = b""  # what some put behind an end
        elif len(self._held) >= 2:
            self._zlib = _decompressor(self._held)
            return True
        return self._is_plain

    @property
    def is_holding(self) -> bool:
        """Whether ``resume`` has something to hand on."""
        is_waiting = self._zlib is None or self._zlib.eof
        return (bool(self._held) and not is_waiting) or self._has_more

    def _fail(self, cause: str) -> bool:
        self.failure = ModelInterrupted()
        self.failure.cause = cause
        self._held, self._has_more = b"", False
        return False


def _decompressor(body: bytes) -> Any:
    # Servers send `deflate` with and without zlib's header (RFC 9110 section 8.4.1.2).
    has_header = body[:2] == _GZIP or (
        len(body) > 1 and body[0] & 15 == 8 and (body[0] << 8 | body[1]) % 31 == 0
    )
    return zlib.decompressobj(_ANY_HEADER if has_header else -zlib.MAX_WBITS)
