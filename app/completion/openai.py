"""Chat completions from OpenAI, or any server that speaks its API.

The SDK owns configuration, authentication, the shape of the request and the
errors; it is asked once, at start, what it would send. The turns themselves
go through ``app.http_client`` without it: the SDK costs 0.7 ms a request and
65 µs a chunk. See ``docs/adr/0001-sdk-beside-the-data-path.md``.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import gevent
import httpx2
import openai
import orjson

from app.completion.chunks import ChunkReader
from app.completion.protocol import Receive
from app.conversation import PromptMessage, Usage
from app.errors import (
    ModelFailure,
    ModelInterrupted,
    ModelMisconfigured,
    ModelRateLimited,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
)
from app.http_client import (
    Exchange,
    HttpBroken,
    HttpClient,
    HttpConnectFailed,
    HttpFailure,
    HttpProxyRefused,
    HttpTimeout,
)
from app.proxies import NO_PROXIES, Proxies

_PATH = "/chat/completions"
_MAX_RETRY_AFTER_S = 3600.0
# After `finish_reason` only the usage and `[DONE]` are missing.
_LAST_WORDS_S = 2.0

# The first row that fits decides. A failure of ours is what the visitor
# reads; the vendor's own error stays in the exception's chain, for the log.
_FAILURES: tuple[tuple[type[Exception], type[ModelFailure]], ...] = (
    (openai.APITimeoutError, ModelTimeout),
    (openai.RateLimitError, ModelRateLimited),
    (openai.AuthenticationError, ModelMisconfigured),
    (openai.PermissionDeniedError, ModelMisconfigured),
    (openai.NotFoundError, ModelMisconfigured),
    (openai.BadRequestError, ModelRefused),
    (openai.UnprocessableEntityError, ModelRefused),
    (openai.APIError, ModelUnavailable),
    (HttpProxyRefused, ModelMisconfigured),
    (HttpTimeout, ModelTimeout),
    (HttpFailure, ModelUnavailable),
)
# Codes of a 429 or 402 that waiting does not mend.
_OWNER_CODES = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}


@dataclass(frozen=True, slots=True)
class OpenAIOptions:
    """What the settings decide of every request."""

    api_key: str
    model: str
    base_url: str | None = None
    max_output_tokens: int = 800
    connect_timeout_s: float = 3.0
    read_timeout_s: float = 30.0
    retry_after_s: float = 0.2
    proxies: Proxies = NO_PROXIES


class OpenAIModel:
    """A ``CompletionModel`` over one pool of connections; make it after the fork."""

    def __init__(self, options: OpenAIOptions) -> None:
        self._options = options
        self._sdk_transport = _CannedTransport()
        self._sdk = openai.OpenAI(
            api_key=options.api_key,
            base_url=options.base_url,
            max_retries=0,
            http_client=httpx2.Client(transport=self._sdk_transport),
        )
        self._path, headers, origin = self._ask_sdk()
        # OpenAI's newer models refuse the old name; many compatible servers
        # silently ignore the new one, and then nothing bounds the bill.
        self._limit_name = "max_tokens" if options.base_url else "max_completion_tokens"
        self._http = HttpClient(
            origin,
            connect_timeout_s=options.connect_timeout_s,
            read_timeout_s=options.read_timeout_s,
            max_idle=256,
            headers=headers,
            proxies=options.proxies,
        )

    def stream(
        self, prompt: Sequence[PromptMessage], *, request_id: str | None = None
    ) -> "OpenAICompletion":
        """Start a completion; leaving the context stops it.

        A server that cannot be reached or answers 5xx is asked once more.
        """
        headers = (("X-Client-Request-Id", request_id),) if request_id else ()
        return OpenAICompletion(self._open(self._body(prompt), headers))

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def _open(self, body: bytes, headers: Sequence[tuple[str, str]]) -> Exchange:
        try:
            return self._open_once(body, headers)
        except (ModelUnavailable, ModelInterrupted) as first:
            gevent.sleep(self._options.retry_after_s)
            try:
                return self._open_once(body, headers)
            except ModelFailure as second:
                second.is_free = second.is_free and first.is_free
                raise

    def _open_once(self, body: bytes, headers: Sequence[tuple[str, str]]) -> Exchange:
        try:
            exchange = self._http.open("POST", self._path, body=body, headers=headers)
        except HttpFailure as error:
            raise translate(error) from error
        if exchange.status == 200:
            exchange.forget_headers()
            return exchange
        with exchange:
            raise self._refusal(exchange)

    def _body(self, prompt: Sequence[PromptMessage]) -> bytes:
        return orjson.dumps(
            {
                "model": self._options.model,
                "messages": [{"role": said.role, "content": said.content} for said in prompt],
                "stream": True,
                "stream_options": {"include_usage": True},
                self._limit_name: self._options.max_output_tokens,
            }
        )

    def _ask_sdk(self) -> tuple[str, list[tuple[str, str]], str]:
        """Let the SDK make one request, and learn its address and headers."""
        self._send_through_sdk(httpx2.Response(200, json={}))
        request = self._sdk_transport.request
        ours = {"host", "content-length", "accept-encoding", "connection", "accept"}
        headers = [
            (name, value) for name, value in request.headers.multi_items() if name not in ours
        ]
        headers.append(("accept", "text/event-stream"))
        url = urlsplit(str(request.url))
        path = f"{url.path}?{url.query}" if url.query else url.path
        return path, headers, f"{url.scheme}://{url.netloc}"

    def _refusal(self, exchange: Exchange) -> ModelFailure:
        """Let the SDK name the error that this response means."""
        try:
            body = exchange.read_all()
        except HttpFailure:
            body = b""
        try:
            # Without the headers: an odd one would break the SDK, not tell it more.
            self._send_through_sdk(httpx2.Response(exchange.status, content=body))
        except openai.APIError as error:
            failure = translate(error, exchange.header("retry-after"))
            failure.__cause__ = error
            return failure
        return ModelUnavailable()

    def _send_through_sdk(self, response: httpx2.Response) -> None:
        self._sdk_transport.response = response
        self._sdk.post(_PATH, body={}, cast_to=object)


class OpenAICompletion:
    """One running completion; leaving its context stops the model."""

    __slots__ = ("_exchange", "_reader")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._reader = ChunkReader()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._exchange.close()

    @property
    def has_begun(self) -> bool:
        """Whether it has said anything, or why it ends without a word."""
        return self._reader.has_begun or self._reader.finish_reason is not None

    @property
    def finish_reason(self) -> str | None:
        """Why the model ended, in OpenAI's words; ``None`` when it did not say."""
        return self._reader.finish_reason

    @property
    def usage(self) -> Usage | None:
        """The tokens used, when the server told."""
        return self._reader.usage

    @property
    def model(self) -> str | None:
        """The model that answered, by its own account."""
        return self._reader.model

    @property
    def refusal(self) -> str | None:
        """What the model said in place of an answer that it refuses."""
        return self._reader.refusal

    def relay(self, receive: Receive) -> bool:
        """Hand over deltas from the hub until the model ends."""
        self._reader.receive = receive
        take = self._reader.take
        try:
            ended = self._exchange.pump(take)
            if not ended and self._is_finished() and not self._reader.failure:
                ended = self._exchange.pump(take, silence_s=_LAST_WORDS_S)
        except HttpFailure as error:
            if self._is_finished():
                return True
            if isinstance(error, HttpBroken):
                raise ModelInterrupted from error
            raise translate(error) from error
        if self._reader.failure:
            if not self._is_finished():
                raise self._reader.failure
            return True  # the answer is whole: what makes no sense came after it
        if self._reader.done:
            self._exchange.linger()
        return ended or self._reader.done

    def _is_finished(self) -> bool:
        return self._reader.done or self._reader.finish_reason is not None


def translate(error: Exception, retry_after: str | None = None) -> ModelFailure:
    """Name a vendor's or a connection's error in our words."""
    status = getattr(error, "status_code", 0)
    if getattr(error, "code", None) in _OWNER_CODES or status == 402:
        return ModelMisconfigured()
    kind = next((ours for vendor, ours in _FAILURES if isinstance(error, vendor)), ModelUnavailable)
    if status == 413:  # which the SDK has no name for
        kind = ModelRefused
    failure = kind(retry_after_s=_seconds(retry_after))
    if isinstance(error, HttpConnectFailed) or 400 <= status < 500:
        failure.is_free = True
    return failure


def _seconds(retry_after: str | None) -> float | None:
    """Read a ``Retry-After`` (RFC 9110 section 10.2.3), bounded to an hour."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
        if math.isnan(seconds):
            return None
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER_S)


class _CannedTransport(httpx2.BaseTransport):
    """Keeps the SDK's request, and answers with what it is given."""

    request: httpx2.Request
    response: httpx2.Response

    def handle_request(self, request: httpx2.Request) -> Any:
        self.request = request
        return self.response
