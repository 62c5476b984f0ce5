"""Chat completions over a real socket, from the scripted upstream."""

import json
from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from app.completion.openai.model import OpenAIModel, OpenAIOptions
from app.completion.protocol import Receive
from app.domain.conversation import PromptMessage, Usage
from app.domain.errors import (
    ModelFailure,
    ModelInterrupted,
    ModelMisconfigured,
    ModelRateLimited,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
)
from tests.fakes import Gate
from tests.servers.peer import CHUNKED_HEAD, Link, Peer, chunk
from tests.servers.upstream import Upstream, black_hole_url, refused_url
from tests.servers.upstream_script import LONG_LINE_CHARS, MODEL, Script

PROMPT = [PromptMessage("system", "Be brief."), PromptMessage("user", "Grüße 👋 “quoted”")]


@pytest.fixture(scope="module")
def module_upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(module_upstream: Upstream) -> Upstream:
    module_upstream.reset()
    return module_upstream


@pytest.fixture
def openai(upstream: Upstream) -> Iterator[OpenAIModel]:
    model = a_model(upstream.url)
    yield model
    model.close()


@pytest.fixture
def impatient(upstream: Upstream) -> Iterator[OpenAIModel]:
    """A model that takes a short silence for a long one."""
    model = a_model(upstream.url, read_timeout_s=0.15)
    yield model
    model.close()


def a_model(base_url: str | None, **options: Any) -> OpenAIModel:
    return OpenAIModel(
        OpenAIOptions(
            **{
                "api_key": "sk-of-the-unit-tests",
                "model": "gpt-4.1-mini",
                "base_url": base_url,
                "read_timeout_s": 20,
                "retry_after_s": 0.01,
                **options,
            }
        )
    )


class Told:
    """What a completion told, to its end."""

    def __init__(self, model: OpenAIModel, **options: Any) -> None:
        self.deltas: list[str] = []
        with model.stream(PROMPT, **options) as completion:
            try:
                while not completion.relay(self._receive):
                    pass
            finally:
                self.finish_reason = completion.outcome.finish_reason
                self.usage = completion.outcome.usage
                self.model = completion.outcome.model
                self.refusal = completion.outcome.refusal

    def _receive(self, deltas: Any) -> bool:
        self.deltas.extend(deltas)
        return True


def fails(model: OpenAIModel) -> type[ModelFailure]:
    with pytest.raises(ModelFailure) as failed:
        Told(model)
    assert "sk-" not in str(failed.value)
    return type(failed.value)


def test_whole_answer(openai: OpenAIModel, upstream: Upstream) -> None:
    upstream.script(tokens=12)

    told = Told(openai)

    assert tuple(told.deltas) == Script(tokens=12).deltas
    assert (told.finish_reason, told.usage, told.model) == ("stop", Usage(24, 12), MODEL)
    assert told.refusal is None


def test_request_as_the_provider_sees_it(openai: OpenAIModel, upstream: Upstream) -> None:
    Told(openai, request_id="request-1")

    request = upstream.requests[0]
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.body == {
        "model": "gpt-4.1-mini",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Grüße 👋 “quoted”"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 800,
    }
    headers = request.headers
    assert headers["authorization"] == "Bearer sk-of-the-unit-tests"
    assert headers["content-type"] == "application/json"
    assert headers["accept"] == "text/event-stream"
    assert headers["x-client-request-id"] == "request-1"


def test_openai_itself_is_told_the_new_name_of_the_limit() -> None:
    body = json.loads(a_model(None, max_output_tokens=7)._body(PROMPT))

    assert body["max_completion_tokens"] == 7
    assert "max_tokens" not in body


@pytest.mark.parametrize(
    "script",
    [
        {"split": 1, "tokens": 2},
        {"split": 7},
        {"newline": "\r\n"},
        {"comments": True},
        {"batch": 100},
        {"usage": "always"},
        {"first_ms": 5, "gap_ms": 1},
        {"tokens": 0},
    ],
)
def test_stream_is_read_however_it_is_sent(
    openai: OpenAIModel, upstream: Upstream, script: dict[str, Any]
) -> None:
    upstream.script(**script)

    told = Told(openai)

    assert tuple(told.deltas) == Script(**script).deltas
    assert told.finish_reason == "stop"


@pytest.mark.parametrize("reason", ["stop", "length", "content_filter", "tool_calls"])
def test_finish_reason_is_told(openai: OpenAIModel, upstream: Upstream, reason: str) -> None:
    upstream.script(finish=reason)

    assert Told(openai).finish_reason == reason


def test_refusal_is_told(openai: OpenAIModel, upstream: Upstream) -> None:
    upstream.script(tokens=["I must", " not"], refusal=True)

    told = Told(openai)

    assert (told.refusal, told.deltas) == ("I must not", [])


def test_server_without_usage(openai: OpenAIModel, upstream: Upstream) -> None:
    upstream.script(usage="never")

    assert Told(openai).usage is None


@pytest.mark.slow
def test_connections_are_kept(openai: OpenAIModel, upstream: Upstream) -> None:
    before = upstream.connections

    for _ in range(5):
        Told(openai)

    assert upstream.connections == before + 1


@pytest.mark.parametrize(
    ("script", "failure"),
    [
        ({"fault": "cut"}, ModelInterrupted),
        ({"fault": "reset"}, ModelInterrupted),
        ({"fault": "json"}, ModelInterrupted),
        ({"fault": "utf8"}, ModelInterrupted),
        ({"fault": "error_event"}, ModelUnavailable),
    ],
)
def test_fault_mid_stream_keeps_what_came(
    openai: OpenAIModel, upstream: Upstream, script: dict[str, Any], failure: type[ModelFailure]
) -> None:
    upstream.script(at=2, batch=3, **script)  # the fault in one write with what it follows
    deltas: list[str] = []

    with pytest.raises(failure), openai.stream(PROMPT) as completion:
        completion.relay(lambda came: bool(deltas.extend(came)) or True)

    assert tuple(deltas) == Script().deltas[:2]
    assert len(upstream.requests) == 1  # something was said: never asked again


@pytest.mark.slow
def test_silence_mid_stream_keeps_what_came(impatient: OpenAIModel, upstream: Upstream) -> None:
    upstream.script(at=2, fault="stall")
    deltas: list[str] = []

    with pytest.raises(ModelTimeout), impatient.stream(PROMPT) as completion:
        completion.relay(lambda came: bool(deltas.extend(came)) or True)

    assert tuple(deltas) == Script().deltas[:2]


def test_end_without_a_reason_is_a_failure(openai: OpenAIModel, upstream: Upstream) -> None:
    upstream.script(fault="end")

    assert fails(openai) is ModelInterrupted


def test_done_behind_words_is_an_end(openai: OpenAIModel, upstream: Upstream) -> None:
    upstream.script(fault="done")

    told = Told(openai)

    assert (tuple(told.deltas), told.finish_reason) == (Script().deltas[:2], "stop")


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["hang", "hang_headers", "hang_body"])
def test_silent_server_is_a_timeout(impatient: OpenAIModel, upstream: Upstream, fault: str) -> None:
    upstream.script(fault=fault)

    assert fails(impatient) is ModelTimeout
    assert len(upstream.requests) == 1


def test_page_in_place_of_a_stream_is_the_owners_trouble(
    openai: OpenAIModel, upstream: Upstream
) -> None:
    upstream.script(fault="html")

    assert fails(openai) is ModelMisconfigured


def test_delta_of_a_megabyte(openai: OpenAIModel, upstream: Upstream) -> None:
    upstream.script(fault="long_line")

    assert len("".join(Told(openai).deltas)) > LONG_LINE_CHARS


@pytest.mark.parametrize(
    ("status", "code", "failure", "asked"),
    [
        (400, "context_length_exceeded", ModelRefused, 1),
        (401, "invalid_api_key", ModelMisconfigured, 1),
        (402, "", ModelMisconfigured, 1),
        (403, "", ModelMisconfigured, 1),
        (404, "model_not_found", ModelMisconfigured, 1),
        (413, "", ModelRefused, 1),
        (422, "", ModelRefused, 1),
        (429, "rate_limit_exceeded", ModelRateLimited, 1),
        (429, "insufficient_quota", ModelMisconfigured, 1),
        (429, "billing_hard_limit_reached", ModelMisconfigured, 1),
        (500, "", ModelUnavailable, 2),
        (502, "", ModelUnavailable, 2),
        (503, "", ModelUnavailable, 2),
        (307, "", ModelMisconfigured, 1),
        (501, "", ModelMisconfigured, 1),
        (400, "", ModelRefused, 1),
        (413, "rate_limit_exceeded", ModelRateLimited, 1),
    ],
)
def test_every_refusal_of_the_provider(
    openai: OpenAIModel,
    upstream: Upstream,
    status: int,
    code: str,
    failure: type[ModelFailure],
    asked: int,
) -> None:
    upstream.script(status=status, code=code)

    assert fails(openai) is failure
    assert len(upstream.requests) == asked


@pytest.mark.slow
@pytest.mark.parametrize("first", [{"status": 503}, {"status": 500}, {"fault": "garbage"}])
def test_one_failure_before_the_first_byte_is_forgiven(
    openai: OpenAIModel, upstream: Upstream, first: dict[str, Any]
) -> None:
    upstream.next(**first)

    assert Told(openai).finish_reason == "stop"
    assert len(upstream.requests) == 2


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("0", 0.0),
        ("-3", 0.0),
        ("99999999", 3600.0),
        ("inf", 3600.0),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_passed_on(
    openai: OpenAIModel, upstream: Upstream, told: str, seconds: float | None
) -> None:
    upstream.script(status=429, headers={"Retry-After": told})

    with pytest.raises(ModelRateLimited) as limited:
        Told(openai)

    assert limited.value.retry_after_s == seconds


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": "gzip"},
        {"X-Server": "caf\u00e9"},
        {"Content-Type": "text/html; charset=nonsense"},
        {"Transfer-Encoding": "identity"},
        {"Location": "http://elsewhere.example/"},
    ],
)
def test_odd_headers_of_a_refusal_do_no_harm(headers: dict[str, str]) -> None:
    def refuse(link: Link) -> None:
        while link.request():
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            link.send(
                f"HTTP/1.1 500 Oh\r\n{lines}Content-Length: 5\r\n\r\n".encode("latin-1") + b"oh no"
            )

    with Peer(refuse) as peer:
        assert fails(a_model(f"{peer.url}/v1")) is ModelUnavailable


def test_unreachable_server() -> None:
    with refused_url() as url:
        assert fails(a_model(url)) is ModelUnavailable


@pytest.mark.slow
def test_server_that_never_answers_the_knock() -> None:
    with black_hole_url() as url:
        assert fails(a_model(url, connect_timeout_s=0.05)) is ModelUnavailable


def test_leaving_closes_the_connection(openai: OpenAIModel, upstream: Upstream) -> None:
    upstream.script(tokens=100, gap_ms=5)

    with openai.stream(PROMPT) as completion:
        assert not completion.relay(lambda _: False)

    assert upstream.requests[0].left(within_s=1)


def test_reader_may_pause(openai: OpenAIModel, upstream: Upstream) -> None:
    upstream.script(tokens=30, gap_ms=1)
    deltas: list[str] = []
    pauses = 0

    def receive(came: Any) -> bool:
        deltas.extend(came)
        return False

    with openai.stream(PROMPT) as completion:
        while not completion.relay(receive):
            pauses += 1

    assert tuple(deltas) == Script(tokens=30).deltas
    assert pauses > 1
    assert completion.outcome.finish_reason == "stop"


def event(data: str) -> bytes:
    return chunk(f"data: {data}\n\n".encode())


FINISHED = event('{"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}')


def after_the_end(*rest: bytes) -> tuple[list[str], str | None]:
    """What comes of an answer that is whole, when this follows and then nothing."""

    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD + FINISHED)
        for piece in rest:
            link.send(piece)

    with Peer(handle) as peer:
        told = Told(a_model(f"{peer.url}/v1"))
        return told.deltas, told.finish_reason


@pytest.mark.parametrize(
    "rest",
    [
        (),
        (event('{"corrupt'),),
        (event('{"error": {"message": "too late"}}'),),
        (event('{"choices": [], "usage": "nonsense"}'), event("[DONE]")),
    ],
)
def test_whole_answer_stays_whole_whatever_follows(rest: tuple[bytes, ...]) -> None:
    assert after_the_end(*rest) == (["Hi"], "stop")


def test_last_words_are_waited_for_only_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.completion.openai.answer._LAST_WORDS_S", 0.05)

    def handle(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD + FINISHED)
        link.wait_left()

    with Peer(handle) as peer:
        told = Told(a_model(f"{peer.url}/v1", read_timeout_s=30))

    assert told.finish_reason == "stop"


def test_two_streams_do_not_wait_for_each_other() -> None:
    first_waits = Gate()

    def slow(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD)
        first_waits.pass_through()
        link.send(FINISHED + event("[DONE]") + b"0\r\n\r\n")

    def quick(link: Link) -> None:
        link.request()
        link.send(CHUNKED_HEAD + FINISHED + event("[DONE]") + b"0\r\n\r\n")

    with Peer(slow, quick) as peer:
        model = a_model(f"{peer.url}/v1", read_timeout_s=5)
        first = gevent.spawn(Told, model)
        first_waits.wait_reached()
        assert Told(model).deltas == ["Hi"]
        first_waits.open()
        assert first.get(timeout=20).deltas == ["Hi"]


def test_a_receiver_is_only_called_with_something(openai: OpenAIModel) -> None:
    def receive(deltas: Any) -> bool:
        assert deltas
        return True

    checked: Receive = receive
    with openai.stream(PROMPT) as completion:
        assert completion.relay(checked)
