"""What comes of a 200, whatever it brings; over a real socket."""

import gzip
import json
import random
import zlib
from collections.abc import Sequence
from typing import Any

import gevent
import pytest

from app.completion.breaker import Breaker, BreakerModel
from app.completion.openai.model import OpenAIModel, OpenAIOptions
from app.completion.protocol import CompletionModel
from app.domain.conversation import PromptMessage, Usage
from app.domain.errors import (
    ModelFailure,
    ModelInterrupted,
    ModelMisconfigured,
    ModelRateLimited,
    ModelUnavailable,
)
from app.settings import BreakerPolicy
from tests.servers.peer import Link, Peer

QUESTION = "Where is my blue lamp, please?"
EVENTS = "text/event-stream"


def event(chunk: Any) -> bytes:
    return b"data: %s\n\n" % (chunk if isinstance(chunk, str) else json.dumps(chunk)).encode()


def word(text: str) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"content": text}}]})


def fin(reason: str, **more: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], **more})


STOP = fin("stop")
DONE = event("[DONE]")


def response(body: bytes, kind: str = EVENTS, encoding: str = "") -> bytes:
    lines = [f"Content-Type: {kind}"] if kind else []
    lines += [f"Content-Encoding: {encoding}"] if encoding else []
    head = "\r\n".join(["HTTP/1.1 200 OK", *lines, f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body


def a_model(url: str, **options: Any) -> OpenAIModel:
    return OpenAIModel(
        OpenAIOptions(
            api_key="sk-of-the-unit-tests",
            model="m",
            base_url=f"{url}/v1",
            retry_after_s=0.01,
            **{"read_timeout_s": 20, **options},
        )
    )


class Told:
    def __init__(self, model: CompletionModel, question: str = QUESTION) -> None:
        self.text = ""
        self.failure: ModelFailure | None = None
        self.reason: str | None = None
        self.usage: Usage | None = None
        try:
            with model.stream([PromptMessage("user", question)]) as completion:
                try:
                    while not completion.relay(self._receive):
                        pass
                finally:
                    self.usage = completion.outcome.usage
                    self.reason = completion.outcome.finish_reason
        except ModelFailure as failure:
            self.failure = failure

    def _receive(self, deltas: Sequence[str]) -> bool:
        self.text += "".join(deltas)
        return True


def tell(*pieces: bytes, is_kept: bool = True) -> Told:
    def handle(link: Link) -> None:
        link.request()
        for piece in pieces:
            link.send(piece)
            gevent.sleep(0)
        if not is_kept:
            link.close()

    with Peer(handle) as peer:
        return Told(a_model(peer.url))


COMPLETION = {
    "object": "chat.completion",
    "model": "m-1",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1},
}
WHOLE: dict[str, tuple[bytes, str, str]] = {
    "a stream": (response(word("Hel") + word("lo") + STOP + DONE), "Hello", "stop"),
    "another word for its end": (response(word("Hello") + fin("end_turn")), "Hello", "end_turn"),
    "done behind a word": (response(word("Hello") + DONE), "Hello", "stop"),
    "done without its line's end": (response(word("Hello") + b"data: [DONE]"), "Hello", "stop"),
    "no type": (response(word("Hello") + STOP, ""), "Hello", "stop"),
    "a type that is not true": (response(word("Hello") + STOP, "text/html"), "Hello", "stop"),
    "a document": (
        response(json.dumps(COMPLETION).encode(), "application/json"),
        "Hello",
        "stop",
    ),
    "a document of no type": (response(json.dumps(COMPLETION).encode(), ""), "Hello", "stop"),
    "a document that says it is a stream": (
        response(json.dumps(COMPLETION).encode()),
        "Hello",
        "stop",
    ),
    "a document with thoughts": (
        response(json.dumps(COMPLETION).replace("Hello", "<think>x</think>Hello").encode()),
        "Hello",
        "stop",
    ),
    "gzip": (response(gzip.compress(word("Hello") + STOP), EVENTS, "gzip"), "Hello", "stop"),
    "gzip, each event for itself": (
        response(b"".join(map(gzip.compress, (word("Hel"), word("lo"), STOP))), EVENTS, "gzip"),
        "Hello",
        "stop",
    ),
    "gzip that is none": (response(word("Hello") + STOP, EVENTS, "gzip"), "Hello", "stop"),
    "deflate": (response(zlib.compress(word("Hello") + STOP), EVENTS, "deflate"), "Hello", "stop"),
    "a document in gzip": (
        response(gzip.compress(json.dumps(COMPLETION).encode()), "application/json", "gzip"),
        "Hello",
        "stop",
    ),
}


@pytest.mark.parametrize(("answer", "text", "reason"), WHOLE.values(), ids=WHOLE)
def test_whole_answer(answer: bytes, text: str, reason: str) -> None:
    told = tell(answer)

    assert (told.text, told.reason, told.failure) == (text, reason, None)


@pytest.mark.parametrize("status", [201, 202, 203])
def test_other_status_of_success_is_one(status: int) -> None:
    answer = response(word("Hello") + STOP).replace(b"200", b"%d" % status, 1)

    assert tell(answer).text == "Hello"


def test_reason_of_every_chunk_ends_no_answer() -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {EVENTS}\r\n\r\n".encode()
    chunks = [
        event({"choices": [{"delta": {"content": text}, "finish_reason": f"reason {text}"}]})
        for text in "abcde"
    ]

    told = tell(head, *chunks, is_kept=False)

    assert (told.text, told.failure) == ("abcde", None)


def test_usage_of_a_document_is_recorded() -> None:
    assert tell(response(json.dumps(COMPLETION).encode(), "application/json")).usage == Usage(3, 1)


def test_compressed_events_come_as_they_are_flushed() -> None:
    packer = zlib.compressobj(wbits=31)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {EVENTS}\r\nContent-Encoding: gzip\r\n\r\n".encode()
    pieces = [
        packer.compress(each) + packer.flush(zlib.Z_SYNC_FLUSH)
        for each in (word("Hel"), word("lo"), STOP)
    ]

    told = tell(head, *pieces, packer.flush(), is_kept=False)

    assert (told.text, told.failure) == ("Hello", None)


@pytest.mark.slow
def test_long_compressed_answer_is_whole() -> None:
    words = [f"word{number} " for number in range(30_000)]

    told = tell(response(gzip.compress(b"".join(map(word, words)) + STOP), EVENTS, "gzip"))

    assert (told.text, told.failure) == ("".join(words), None)


SPENT = {
    "prompt_tokens": 50,
    "completion_tokens": 800,
    "completion_tokens_details": {"reasoning_tokens": 800},
}
BROKEN: dict[str, tuple[bytes, type[ModelFailure], str, str]] = {
    "an error with a reason": (
        word("Half") + fin("error", error={"code": 502, "message": "provider disconnected"}),
        ModelUnavailable,
        "Half",
        "502: provider disconnected",
    ),
    "an error in the choice": (
        word("Half")
        + event({"choices": [{"delta": {"content": ""}, "error": {"code": 502, "message": "x"}}]}),
        ModelUnavailable,
        "Half",
        "502: x",
    ),
    "a reason that is an error": (
        word("Half") + fin("network_error") + DONE,
        ModelUnavailable,
        "Half",
        "the model ended with network_error",
    ),
    "a limit": (
        event({"error": {"code": 429, "message": "Rate limit exceeded"}}),
        ModelRateLimited,
        "",
        "429: Rate limit exceeded",
    ),
    "a key": (
        event({"error": {"code": 401, "message": f"no: {QUESTION}"}}),
        ModelMisconfigured,
        "",
        "401: no: …?",
    ),
    "a question in a late error": (
        word("Half") + event({"error": {"message": f"cannot: {QUESTION}", "code": 500}}),
        ModelUnavailable,
        "Half",
        "500: cannot: …?",
    ),
    "nothing but reasoning": (
        fin("length", usage=SPENT) + DONE,
        ModelInterrupted,
        "",
        (
            "all 800 of MAX_OUTPUT_TOKENS went before the first word, 800 of them on reasoning: "
            "raise it, or let the model think less"
        ),
    ),
    "a thought without an end": (
        word("<think>hm") + STOP + DONE,
        ModelInterrupted,
        "",
        (
            "all of MAX_OUTPUT_TOKENS went before the first word: "
            "raise it, or let the model think less"
        ),
    ),
    "tools": (
        fin("tool_calls") + DONE,
        ModelInterrupted,
        "",
        "the model ended with tool_calls and without a word",
    ),
    "no end": (word("Half"), ModelInterrupted, "Half", "the answer ended without a reason"),
    "done alone": (DONE, ModelInterrupted, "", "the answer ended without a reason"),
    "nonsense": (word("Half") + b"data: {\n\n", ModelInterrupted, "Half", "a chunk is no JSON"),
    "half an event": (
        word("Half") + word("more")[:-20],
        ModelInterrupted,
        "Half",
        "a chunk is no JSON",
    ),
}


@pytest.mark.parametrize(("body", "failure", "text", "cause"), BROKEN.values(), ids=BROKEN)
def test_answer_that_is_none(
    body: bytes, failure: type[ModelFailure], text: str, cause: str
) -> None:
    told = tell(response(body))

    assert told.failure is not None
    assert (type(told.failure), told.text, told.failure.cause) == (failure, text, cause)


STRANGERS: dict[str, tuple[bytes, str]] = {
    "a page": (
        response(b"<!doctype html><title>Sign in</title>", "text/html; charset=utf-8"),
        "answered 200 text/html, not an event stream: does OPENAI_BASE_URL end in /v1?",
    ),
    "a page of no type": (
        response(b"\n<html>", ""),
        "answered 200 without a type, not an event stream: does OPENAI_BASE_URL end in /v1?",
    ),
    "an error": (
        response(
            b'{"error":"Unexpected endpoint or method. (POST /chat/completions)"}',
            "application/json",
        ),
        (
            "answered 200 application/json, and says: Unexpected endpoint or method. "
            "(POST /chat/completions): does OPENAI_BASE_URL end in /v1?"
        ),
    ),
    "another document": (
        response(b'{"status":"ok"}', "application/json"),
        "answered 200 application/json, without an answer: does OPENAI_BASE_URL end in /v1?",
    ),
    "nothing": (
        response(b"", "text/plain"),
        "answered 200 text/plain, not an event stream: does OPENAI_BASE_URL end in /v1?",
    ),
    "no word of a stream": (
        response(b"", EVENTS),
        "answered 200 text/event-stream, not an event stream: does OPENAI_BASE_URL end in /v1?",
    ),
    "a text": (
        response(b"It works!\n", "text/plain"),
        "answered 200 text/plain, not an event stream: does OPENAI_BASE_URL end in /v1?",
    ),
    "another encoding": (
        response(b"\x00\x01", EVENTS, "br"),
        "answered with Content-Encoding br: switch that off at the model's proxy",
    ),
}


@pytest.mark.parametrize(("answer", "cause"), STRANGERS.values(), ids=STRANGERS)
def test_what_is_no_models_api_is_the_owners_trouble(answer: bytes, cause: str) -> None:
    told = tell(answer)

    assert isinstance(told.failure, ModelMisconfigured)
    assert (told.text, told.failure.is_free, told.failure.cause) == ("", True, cause)


@pytest.mark.parametrize(
    ("body", "is_free"),
    [
        (DONE, True),
        (event({"choices": [{"delta": {"role": "assistant"}}]}), True),
        (word("<think>hm"), False),
        (fin("length", usage=SPENT), False),
        (word("Half"), False),
    ],
)
def test_what_nothing_was_generated_for_is_free(body: bytes, is_free: bool) -> None:
    told = tell(response(body))

    assert told.failure is not None
    assert told.failure.is_free is is_free


@pytest.mark.parametrize(
    "answer", [response(DONE), response(b"<html>", "text/html"), response(fin("tool_calls"))]
)
def test_breaker_hears_of_answers_that_are_none(answer: bytes) -> None:
    def handle(link: Link) -> None:
        while link.request():
            link.send(answer)

    breaker = Breaker(BreakerPolicy(failures=5))
    with Peer(handle) as peer:
        model = BreakerModel(a_model(peer.url), breaker)
        for _ in range(5):
            Told(model)

    assert breaker.state == "open"


def test_error_in_gzip_is_read() -> None:
    body = gzip.compress(b'{"error":{"message":"no","code":"model_not_found"}}')

    def handle(link: Link) -> None:
        link.request()
        head = f"HTTP/1.1 400 Bad\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
        link.send(head.encode() + body)

    with Peer(handle) as peer:
        told = Told(a_model(peer.url))

    assert isinstance(told.failure, ModelMisconfigured)
    assert told.failure.cause == "400, model_not_found: no"


def test_redirect_is_not_followed_and_its_target_is_named() -> None:
    asked: list[bytes] = []

    def handle(link: Link) -> None:
        while request := link.request():
            asked.append(request)
            link.send(
                b"HTTP/1.1 308 Moved\r\nLocation: https://h.example/v1/chat/completions\r\n"
                b"Content-Length: 0\r\n\r\n"
            )

    with Peer(handle) as peer:
        told = Told(a_model(peer.url))

    assert len(asked) == 1
    assert isinstance(told.failure, ModelMisconfigured)
    assert "https://h.example/v1/chat/completions" in told.failure.cause
    assert told.failure.is_free


# Streams as providers write them, and pieces of other shapes that get into them.
SECRET = "zzqx"  # what is said: it must stand in no cause
PIECES = [
    b": OPENROUTER PROCESSING\n\n",
    b"event: ping\ndata: {}\n\n",
    b"data: \n\n",
    event({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}),
    event({"error": {"code": 502, "message": "gone"}}),
    event({"type": "content_block_delta", "delta": {"type": "text_delta", "text": SECRET}}),
    event({"choices": [{"delta": {"content": [{"type": "text", "text": SECRET}]}}]}),
    event({"choices": [{"delta": {"content": 7}}]}),
    event({"message": {"content": SECRET}, "done": False}),
    event({"object": "error", "message": "gone", "code": 500}),
    event({"choices": [{"delta": {"content": SECRET}, "finish_reason": "null"}]}),
    event({"choices": [{"message": {"content": SECRET}, "finish_reason": "stop"}]}),
    event({"choices": [{"delta": {"content": f"<think>{SECRET}"}}]}),
    event({"detail": "gone"}),
    b"event: error\ndata: gone\n\n",
    b"data: [DONE]\n",
    event({"candidates": [{"content": {"parts": [{"text": SECRET}]}}]}),
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"</think>",
    b"<html>",
]


def damaged(chance: random.Random) -> tuple[bytes, str]:
    """Return a damaged stream, and what was said before the damage."""
    words = [f"{SECRET}{number} " for number in range(chance.randint(1, 8))]
    events = [*map(word, words), STOP, DONE]
    at = chance.randrange(len(events))
    whole, rest = events[:at], b"".join(events[at:])
    place = chance.randrange(len(rest))
    match chance.randrange(6):
        case 0:
            rest = rest[:place]
        case 1:
            rest = rest[:place] + rest[place + chance.randint(1, 30) :]
        case 2:
            rest = rest[:place] + rest[place : place + 20] * 2 + rest[place + 20 :]
        case 3:
            left = events[at:]
            chance.shuffle(left)
            rest = b"".join(left)
        case 4:
            rest = chance.choice(PIECES) + rest
        case 5:
            rest = rest[:place] + chance.choice(PIECES) + rest[place:]
    return b"".join(whole) + rest, "".join(words[:at])


@pytest.mark.slow
def test_damaged_streams_lose_nothing_hang_nowhere_and_tell_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    chance = random.Random(14)
    streams = [damaged(chance) for _ in range(1000)]
    bodies = [response(body) for body, _ in streams]

    def handle(link: Link) -> None:
        while link.request():
            link.send(bodies.pop(0))

    with Peer(handle) as peer, gevent.Timeout(120):
        model = a_model(peer.url, read_timeout_s=5)
        for _, said in streams:
            told = Told(model)
            assert told.text.startswith(said)
            assert told.failure is None or SECRET not in told.failure.cause

    assert bodies == []
    assert SECRET not in caplog.text
