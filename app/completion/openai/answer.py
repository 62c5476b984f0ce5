"""One answer of a server that speaks OpenAI's API, as it comes in."""

from collections.abc import Callable
from typing import Self

from app.completion.causes import Redaction, shorten
from app.completion.endings import failure_of_ending
from app.completion.mends import PROXY
from app.completion.openai.bodies import Inflater, not_a_stream, read_encoding
from app.completion.openai.shortcut import ShortcutReader
from app.completion.protocol import Outcome, Receive
from app.domain.errors import (
    ModelFailure,
    ModelInterrupted,
    ModelMisconfigured,
    ModelTimeout,
    ModelUnavailable,
)
from app.http_client import (
    Exchange,
    HttpBroken,
    HttpConnectFailed,
    HttpFailure,
    HttpProxyRefused,
    HttpTimeout,
)

# After `finish_reason` only the usage and `[DONE]` are missing.
_LAST_WORDS_S = 2.0
_STREAM = "text/event-stream"


class OpenAICompletion:
    """One running completion; leaving its context stops the model.

    ``exchange`` has answered 200, and is closed with it. ``hide`` is what
    keeps the prompt out of what an owner is told.

    Raises:
        ModelMisconfigured: its body is compressed in a way that nobody asked for.
    """

    __slots__ = (
        "_consume",
        "_exchange",
        "_first_token_timeout_s",
        "_inflater",
        "_media_type",
        "_read_timeout_s",
        "_reader",
    )

    def __init__(
        self,
        exchange: Exchange,
        hide: Redaction | None = None,
        *,
        first_token_timeout_s: float = 90.0,
        read_timeout_s: float = 30.0,
    ) -> None:
        self._exchange = exchange
        self._first_token_timeout_s = first_token_timeout_s
        self._read_timeout_s = read_timeout_s
        self._media_type = exchange.header("content-type") or ""
        self._reader = ShortcutReader(hide, self._media_type)
        self._inflater: Inflater | None = None
        self._consume: Callable[[bytes], bool] = self._reader.take
        try:
            if read_encoding(exchange.header("content-encoding")):
                self._inflater = Inflater(self._reader.take)
                self._consume = self._inflater.take
        except ModelFailure:
            exchange.close()
            raise
        exchange.forget_headers()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._exchange.close()

    @property
    def outcome(self) -> Outcome:
        """What the server told: the reader keeps it."""
        return self._reader

    def relay(self, receive: Receive) -> bool:
        """Hand over deltas from the hub until the model ends."""
        try:
            return self._relay(receive)
        except ModelFailure as failure:
            if self._has_said or self._reader.has_thought or self._reader.usage:
                failure.is_free, failure.has_spoken = False, True
            raise

    def _relay(self, receive: Receive) -> bool:
        self._reader.receive = receive
        try:
            ended = self._pump()
        except HttpFailure as error:
            if not self._is_finished():
                raise failure_of_connection(error, has_answered=True) from error
            ended = True
        broken = self._reader.failure or (self._inflater and self._inflater.failure)
        if broken and not self._is_finished():
            raise broken
        if ended and not self._is_finished():
            self._read_end(receive)
        # Where the answer is whole, what makes no sense came after it.
        is_over = ended or self._reader.done or broken is not None
        if is_over:
            self._end()
        if self._reader.done:
            self._exchange.linger()
        return is_over

    def _pump(self) -> bool:
        if self._inflater and self._inflater.is_holding and not self._inflater.resume():
            return False
        ended = self._exchange.pump(self._consume, self._patience_s)
        if not ended and self._is_finished() and not self._reader.failure:
            ended = self._exchange.pump(self._consume, _LAST_WORDS_S)
        return ended and not (self._inflater and self._inflater.is_holding)

    def _patience_s(self) -> float:
        """Return how long the model may be silent: longer before its first word."""
        return self._read_timeout_s if self._reader.has_begun else self._first_token_timeout_s

    def _read_end(self, receive: Receive) -> None:
        deltas = self._reader.end()
        if deltas:
            receive(deltas)
        if self._reader.failure and not self._is_finished():
            raise self._reader.failure

    def _end(self) -> None:
        """Note that all is said, unless it is no answer that has ended."""
        failure = self._failure_of_end()
        if failure is not None:
            raise failure
        reader = self._reader
        reader.has_begun = True
        reader.finish_reason = reader.finish_reason or "stop"

    def _is_finished(self) -> bool:
        reader = self._reader
        return reader.finish_reason is not None or (reader.done and self._has_said)

    @property
    def _has_said(self) -> bool:
        return self._reader.has_begun or bool(self._reader.refusal)

    def _failure_of_end(self) -> ModelFailure | None:
        reader = self._reader
        if reader.finish_reason is not None:
            return failure_of_ending(
                reader.finish_reason,
                has_said=self._has_said,
                has_only_thought=reader.has_only_thought,
                usage=reader.usage,
            )
        if reader.done and self._has_said:
            return None
        is_stream = self._media_type.lower().startswith(_STREAM)
        if not reader.has_lines or not (reader.has_chunks or reader.done or is_stream):
            return not_a_stream(self._media_type)
        failure = ModelInterrupted()
        failure.cause = "the answer ended without a reason"
        failure.is_free = not (self._has_said or reader.has_only_thought or reader.usage)
        return failure


def failure_of_connection(error: HttpFailure, *, has_answered: bool = False) -> ModelFailure:
    """Name what happened to a connection; ``has_answered`` once a 200 had come."""
    failure: ModelFailure
    if isinstance(error, HttpTimeout):
        failure = ModelTimeout()
    elif isinstance(error, HttpProxyRefused):
        failure = ModelMisconfigured()
        failure.mend = PROXY
    elif has_answered and isinstance(error, HttpBroken):
        failure = ModelInterrupted()
    else:
        failure = ModelUnavailable()
    failure.is_free = isinstance(error, HttpConnectFailed)
    failure.cause = shorten(str(error))
    return failure
