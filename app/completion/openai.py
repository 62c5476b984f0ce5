"""Chat completions from OpenAI, or any server that speaks its API.

The SDK owns configuration, authentication and the shape of the request; it is
asked once, at start, what it would send. The turns themselves go through
``app.http_client`` without it: the SDK costs 0.7 ms a request and 65 µs a
chunk. See ``docs/adr/0001-sdk-beside-the-data-path.md``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import gevent
import httpx2
import openai
import orjson

from app.completion.bodies import inflate
from app.completion.causes import Redaction
from app.completion.openai_answer import OpenAICompletion, failure_of_connection
from app.completion.refusals import failure_of, read_error
from app.conversation import PromptMessage
from app.errors import ModelFailure, ModelInterrupted, ModelUnavailable
from app.http_client import Exchange, HttpClient, HttpFailure
from app.proxies import NO_PROXIES, Proxies

_PATH = "/chat/completions"


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
        hide = Redaction([said.content for said in prompt], [self._options.api_key])
        return OpenAICompletion(self._open(self._body(prompt), headers, hide), hide)

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def _open(self, body: bytes, headers: Sequence[tuple[str, str]], hide: Redaction) -> Exchange:
        try:
            return self._open_once(body, headers, hide)
        except (ModelUnavailable, ModelInterrupted) as first:
            gevent.sleep(self._options.retry_after_s)
            try:
                return self._open_once(body, headers, hide)
            except ModelFailure as second:
                second.is_free = second.is_free and first.is_free
                raise

    def _open_once(
        self, body: bytes, headers: Sequence[tuple[str, str]], hide: Redaction
    ) -> Exchange:
        try:
            exchange = self._http.open("POST", self._path, body=body, headers=headers)
        except HttpFailure as error:
            raise failure_of_connection(error) from error
        if exchange.status == 200:
            return exchange
        with exchange:
            raise _read_refusal(exchange, hide)

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
        self._sdk.post(_PATH, body={}, cast_to=object)
        request = self._sdk_transport.request
        ours = {"host", "content-length", "accept-encoding", "connection", "accept"}
        headers = [
            (name, value) for name, value in request.headers.multi_items() if name not in ours
        ]
        headers.append(("accept", "text/event-stream"))
        url = urlsplit(str(request.url))
        path = f"{url.path}?{url.query}" if url.query else url.path
        return path, headers, f"{url.scheme}://{url.netloc}"


def _read_refusal(exchange: Exchange, hide: Redaction) -> ModelFailure:
    try:
        body = exchange.read_all()
    except HttpFailure:
        body = b""
    body = inflate(body, exchange.header("content-encoding"))
    error = read_error(exchange.status, body, exchange.header("location"))
    return failure_of(error, hide, exchange.header("retry-after"))


class _CannedTransport(httpx2.BaseTransport):
    """Keeps the SDK's request, and answers it with nothing."""

    request: httpx2.Request

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.request = request
        return httpx2.Response(200, json={})
