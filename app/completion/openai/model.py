"""Chat completions from OpenAI, or any server that speaks its API.

The SDK owns configuration, authentication and the shape of the request; it is
asked once, at start, what it would send. The turns themselves go through
``app.http_client`` without it: the SDK costs 0.7 ms a request and 65 µs a
chunk. See ``docs/adr/0001-sdk-beside-the-data-path.md``.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import gevent
import httpx2
import openai

from app.completion.causes import Redaction, shorten
from app.completion.endings import ran_out
from app.completion.model_list import ListedModel, read_models
from app.completion.openai.answer import OpenAICompletion, failure_of_connection
from app.completion.openai.bodies import inflate
from app.completion.openai.negotiation import (
    EFFORT,
    NEW_LIMIT,
    NO_EFFORT,
    RequestShape,
    describe_change,
    find_refused,
    next_shape,
)
from app.completion.openai.refusals import failure_of, read_error
from app.domain.conversation import PromptMessage
from app.domain.errors import (
    ModelFailure,
    ModelInterrupted,
    ModelMisconfigured,
    ModelRefused,
    ModelUnavailable,
    ProviderError,
)
from app.http_client import Exchange, HttpClient, HttpFailure
from app.http_client.proxies import NO_PROXIES, Proxies

log = logging.getLogger(__name__)

_PATH = "/chat/completions"
# Gateways make a 201 of what they create, and proxies a 203 of what they touch.
_ANSWERS = (200, 201, 202, 203)
# Of what a server refuses: to be asked without thinking.
_QUIET = "reasoning_effort none"
_MODELS_PATH = "/models"
_MODELS_TIMEOUT_S = 10.0
_MODELS_WITHOUT_EFFORT = ("gpt-4", "gpt-3", "chatgpt-")


@dataclass(frozen=True, slots=True)
class OpenAIOptions:
    """What the settings decide of every request.

    Without an ``api_key`` nothing is said about who asks. ``extra_body`` and
    ``extra_headers`` win over what we send; the headers' values are secrets.
    ``first_token_timeout_s`` is for a silence before the first word, where it may
    be longer than ``read_timeout_s``, which is for one after it.
    """

    api_key: str | None
    model: str
    base_url: str | None = None
    max_output_tokens: int = 800
    reasoning_effort: str | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    extra_headers: Mapping[str, str] = field(default_factory=dict)
    connect_timeout_s: float = 3.0
    first_token_timeout_s: float | None = None
    read_timeout_s: float = 30.0
    retry_after_s: float = 0.2
    proxies: Proxies = NO_PROXIES


class OpenAIModel:
    """A ``CompletionModel`` over one pool of connections; make it after the fork."""

    def __init__(self, options: OpenAIOptions) -> None:
        self._options = options
        base_url, mark, self._query = (options.base_url or "").partition("?")
        self._query = mark + self._query
        request = _ask_sdk(options.api_key, base_url or None)
        url = urlsplit(str(request.url))
        self._path = url.path + self._query
        self._models_path = url.path.removesuffix(_PATH) + _MODELS_PATH + self._query
        self._shape = _first_shape(options, url.hostname or "")
        self._is_openai = _is_openai(url.hostname or "")
        self._secrets = [*filter(None, [options.api_key, *options.extra_headers.values()])]
        self._http = HttpClient(
            f"{url.scheme}://{url.netloc}",
            connect_timeout_s=options.connect_timeout_s,
            head_timeout_s=options.first_token_timeout_s,
            read_timeout_s=options.read_timeout_s,
            max_idle=256,
            headers=_headers(request, options),
            proxies=options.proxies,
        )

    @property
    def learnt(self) -> str:
        """What its server is known to take, in one line for the owner."""
        return self._shape.in_words()

    def stream(
        self,
        prompt: Sequence[PromptMessage],
        *,
        request_id: str | None = None,
        second_limit: int | None = None,
    ) -> OpenAICompletion:
        """Start a completion; leaving the context stops it.

        A server that cannot be reached or answers 5xx is asked once more, and
        one that refuses a field of the request without it. What it took then
        is remembered.
        """
        headers = (("X-Client-Request-Id", request_id),) if request_id else ()
        hide = Redaction([said.content for said in prompt], self._secrets)
        if second_limit is not None:
            return self._stream_again(prompt, headers, hide, second_limit)
        limit = self._options.max_output_tokens
        exchange = self._negotiate(self._shape, prompt, limit, headers, hide)
        return self._completion(exchange, hide)

    def list_models(self) -> Sequence[ListedModel]:
        """Return the models that the server has; none where it does not tell.

        Raises:
            ModelFailure: it could not be asked, or refuses the key.
        """
        hide = Redaction((), self._secrets)
        try:
            response = self._http.request("GET", self._models_path, deadline_s=_MODELS_TIMEOUT_S)
        except HttpFailure as error:
            raise failure_of_connection(error) from error
        if response.status in (401, 403):
            raise failure_of(read_error(response.status, response.body), hide)
        if response.status != 200:
            return ()
        return read_models(inflate(response.body, response.header("content-encoding")))

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def _completion(self, exchange: Exchange, hide: Redaction) -> OpenAICompletion:
        options = self._options
        return OpenAICompletion(
            exchange,
            hide,
            first_token_timeout_s=options.first_token_timeout_s or options.read_timeout_s,
            read_timeout_s=options.read_timeout_s,
        )

    def _stream_again(
        self,
        prompt: Sequence[PromptMessage],
        headers: Sequence[tuple[str, str]],
        hide: Redaction,
        limit: int,
    ) -> OpenAICompletion:
        """Ask a model that thought to its limit: without thinking, or else with a higher limit."""
        shape, own = self._shape, self._options.max_output_tokens
        can_be_quiet = not {EFFORT, _QUIET} & {*shape.refused, *self._options.extra_body}
        if can_be_quiet and shape.effort != NO_EFFORT:
            # A server that has not shown that it knows the field may pass over it.
            is_known = self._is_openai or shape.effort is not None
            quiet = replace(shape, effort=NO_EFFORT)
            body = self._body(prompt, quiet, own if is_known else limit)
            try:
                return self._completion(self._open(body, headers, hide), hide)
            except ModelRefused as refused:
                if refused.is_explained:
                    raise
                # The effort alone is new: the same prompt was taken a moment ago.
                self._shape = replace(self._shape, refused=self._shape.refused | {_QUIET})
        if limit <= own:
            unasked = ran_out(None)  # the budget pays for no more of the same
            unasked.is_free = True
            raise unasked
        exchange = self._negotiate(shape, prompt, limit, headers, hide)
        return self._completion(exchange, hide)

    def _body(
        self,
        prompt: Sequence[PromptMessage],
        shape: RequestShape | None = None,
        limit: int | None = None,
    ) -> bytes:
        options = self._options
        return (shape or self._shape).body(
            options.model, prompt, limit or options.max_output_tokens, options.extra_body
        )

    def _negotiate(
        self,
        shape: RequestShape,
        prompt: Sequence[PromptMessage],
        limit: int,
        headers: Sequence[tuple[str, str]],
        hide: Redaction,
    ) -> Exchange:
        """Ask, and ask without what the server refuses by name; remember what it took."""
        first = shape
        while True:
            try:
                exchange = self._open(self._body(prompt, shape, limit), headers, hide)
            except ModelRefused as refused:
                shape = self._without(shape, refused)
            else:
                if shape is not first:
                    self._remember(shape)
                return exchange

    def _without(self, shape: RequestShape, refused: ModelRefused) -> RequestShape:
        """Return a shape without what was refused.

        Raises:
            ModelRefused: it was nothing of ours.
            ModelMisconfigured: it was something of the owner's.
        """
        error, extra = refused.provider, self._options.extra_body
        if error is None or refused.is_explained:
            raise refused
        changed = next_shape(shape, error, extra)
        if changed is not None:
            return changed
        setting = _setting_of(shape, error, extra)
        if setting is None:
            raise refused
        failure = ModelMisconfigured()
        failure.provider, failure.mend = error, setting
        failure.cause = shorten(f"{setting} is refused: {refused.cause}")
        raise failure from refused

    def _remember(self, shape: RequestShape) -> None:
        for sentence in describe_change(self._shape, shape):
            log.info("%s (%s)", sentence, self._options.model)
        self._shape = shape

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
        if exchange.status in _ANSWERS:
            return exchange
        with exchange:
            raise _read_refusal(exchange, hide)


def _setting_of(shape: RequestShape, error: ProviderError, extra: Mapping[str, Any]) -> str | None:
    """Return which of the owner's settings a refusal is about."""
    if (name := find_refused(error, list(extra))) is not None:
        return f"{name} of OPENAI_EXTRA_BODY"
    if shape.limit_name and find_refused(error, [shape.limit_name]):
        return "MAX_OUTPUT_TOKENS"
    return None


def _ask_sdk(api_key: str | None, base_url: str | None) -> httpx2.Request:
    """Let the SDK make one request, from which its address and headers are learnt."""
    transport = _CannedTransport()
    sdk = openai.OpenAI(
        api_key=api_key or "none",
        base_url=base_url,
        max_retries=0,
        http_client=httpx2.Client(transport=transport),
    )
    sdk.post(_PATH, body={}, cast_to=object)
    return transport.request


def _headers(request: httpx2.Request, options: OpenAIOptions) -> list[tuple[str, str]]:
    """Return what is sent with each request: the SDK's headers, and the owner's over them."""
    given = {name.lower() for name in options.extra_headers}
    ours = {"host", "content-length", "accept-encoding", "connection", "accept"} | given
    sent = [(name, value) for name, value in request.headers.multi_items() if name not in ours]
    if "accept" not in given:
        sent.append(("accept", "text/event-stream"))
    if options.api_key is None:
        sent = [
            (name, value)
            for name, value in sent
            # A user and a password of the address are not the key that is missing.
            if name != "authorization" or not value.startswith("Bearer ")
        ]
    return [*sent, *options.extra_headers.items()]


def _is_openai(host: str) -> bool:
    return host == "api.openai.com" or host.endswith(".api.openai.com")


def _first_shape(options: OpenAIOptions, host: str) -> RequestShape:
    """Return what a server takes as far as its name tells.

    OpenAI's newer models refuse the old name of the limit; many compatible
    servers silently ignore the new one, and then nothing bounds the bill. Its
    models think at length unless they are told not to; those before them
    know no effort.
    """
    if not _is_openai(host):
        return RequestShape(effort=options.reasoning_effort)
    thinks = not options.model.startswith(_MODELS_WITHOUT_EFFORT)
    effort = options.reasoning_effort or (NO_EFFORT if thinks else None)
    return RequestShape(limit_name=NEW_LIMIT, effort=effort)


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
