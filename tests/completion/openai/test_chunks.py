"""The event stream of a chat completion, split anywhere."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.completion.openai.chunks import MAX_EVENT_BYTES, ChunkReader
from app.domain.conversation import Usage
from app.domain.errors import (
    ModelFailure,
    ModelInterrupted,
    ModelMisconfigured,
    ModelRateLimited,
    ModelUnavailable,
)

USAGE = {"prompt_tokens": 24, "completion_tokens": 3, "total_tokens": 27}


def event(chunk: Any, newline: str = "\n") -> bytes:
    data = chunk if isinstance(chunk, str) else json.dumps(chunk)
    return f"data: {data}{newline}{newline}".encode()


def delta(finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": fields, "finish_reason": finish_reason}
    return {"object": "chat.completion.chunk", "model": "gpt-x", "choices": [choice]}


def stream(*chunks: Any, newline: str = "\n") -> bytes:
    return b"".join(event(chunk, newline) for chunk in chunks)


class Reader(ChunkReader):
    """A reader that notes what it takes, and how often it had to read all of an event."""

    def __init__(self) -> None:
        super().__init__()
        self.deltas: list[str] = []
        self.fed = 0
        self.receive = self._note

    def feed(self, received: bytes) -> list[str]:
        self.fed += 1
        return super().feed(received)

    def _note(self, deltas: Sequence[str]) -> bool:
        self.deltas += deltas
        return True


def read(*pieces: bytes) -> tuple[list[str], Reader]:
    """What a reader makes of these pieces, to its end or its failure."""
    reader = Reader()
    for piece in pieces:
        reader.take(piece)
        if reader.failure:
            break
    return reader.deltas, reader


def read_plainly(data: bytes) -> tuple[list[str], ChunkReader]:
    """What a reader makes of the same bytes without the shortcut."""
    reader = ChunkReader()
    return reader.feed(data), reader


def same(one: ChunkReader, other: ChunkReader) -> bool:
    names = ("done", "finish_reason", "has_begun", "model", "refusal", "usage")
    return all(getattr(one, name) == getattr(other, name) for name in names) and (
        type(one.failure) is type(other.failure)
    )


WHOLE = (
    delta(role="assistant", content=""),
    delta(content="Hel"),
    delta(content="lo 👋"),
    delta("stop"),
    {"model": "gpt-x", "choices": [], "usage": USAGE},
    "[DONE]",
)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_whole_stream(newline: str) -> None:
    deltas, reader = read(stream(*WHOLE, newline=newline))

    assert deltas == ["Hel", "lo 👋"]
    assert reader.finish_reason == "stop"
    assert reader.model == "gpt-x"
    assert reader.usage == Usage(24, 3)
    assert reader.refusal is None
    assert reader.done
    assert reader.failure is None


@pytest.mark.parametrize(
    "noise",
    [
        b": ping\n\n",
        b"event: message\nid: 7\nretry: 10\n",
        b"\n\n\n",
        b"unknown line\n",
        event({"choices": []}),
        event({"choices": [], "usage": None}),
        event({"choices": [{"delta": None, "finish_reason": None}]}),
        event({"choices": [{"delta": {"tool_calls": []}}]}),
        event({"choices": [], "prompt_filter_results": [{}]}),
        event({"object": "something else"}),
        b"data:\n\n",
        b"data:   \n\n",
        b"data\n\n",
        event("null"),
        event([]),
        event(7),
        event('"ping"'),
        b"event: ping\ndata: ping\n\n",
        b"event: ping\ndata: {oops\n\n",
        b"event: ping\n\n",
        event({"choices": [{"index": 1, "delta": {"content": "another"}}]}),
        event({"choices": [{"delta": {"reasoning_content": "hm", "reasoning": "hm"}}]}),
        event({"choices": [{"delta": {"content": None}, "finish_reason": ""}]}),
    ],
)
def test_noise_between_events_is_skipped(noise: bytes) -> None:
    deltas, reader = read(noise + noise.join(event(chunk) for chunk in WHOLE) + noise)

    assert deltas == ["Hel", "lo 👋"]
    assert reader.done


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("6", "6"),
        ("0", "0"),
        ("0.10", "0.10"),
        ("1e5", "1e5"),
        ("-0", "-0"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("true", "true"),
        ("false", "false"),
        ('[{"type":"text","text":"a"},{"type":"text","text":"b"}]', "ab"),
        ('[{"text":"a"},{"type":"output_text","text":"b"}]', "ab"),
        ('[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]', ""),
        ('[{"type":"image_url","image_url":{}},{"type":"text","text":"x"}]', "x"),
        ('["a","b"]', "ab"),
        ("[]", ""),
        ('""', ""),
    ],
)
def test_content_is_read_by_its_type(content: str, expected: str) -> None:
    chunk = '{"choices":[{"index":0,"delta":{"content":%s}}]}' % content  # noqa: UP031

    deltas, reader = read(stream(delta(content="$"), chunk, delta(content="!"), delta("stop")))

    assert "".join(deltas) == f"${expected}!"
    assert reader.failure is None


def test_choice_of_index_nought_is_the_answer() -> None:
    choices = [
        {"index": 1, "delta": {"content": "no"}, "finish_reason": "length"},
        {"index": 0, "delta": {"content": "yes"}},
    ]

    deltas, reader = read(event({"choices": choices}))

    assert (deltas, reader.finish_reason) == (["yes"], None)


def test_message_is_read_like_a_delta() -> None:
    assert read(event({"choices": [{"message": {"content": "Hi"}}]}))[0] == ["Hi"]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 1000])
def test_byte_order_mark_before_the_stream_is_dropped(size: int) -> None:
    data = b"\xef\xbb\xbf" + stream(*WHOLE)

    deltas, reader = read(*[data[at : at + size] for at in range(0, len(data), size)])

    assert deltas == ["Hel", "lo 👋"]
    assert reader.failure is None


@pytest.mark.parametrize(
    "failed",
    [
        {
            "error": {"code": 429},
            "choices": [{"delta": {"content": "f"}, "finish_reason": "error"}],
        },
        {"choices": [{"delta": {"content": "f"}, "finish_reason": "stop", "error": {"code": 429}}]},
    ],
)
def test_error_wins_over_a_reason_and_keeps_the_text(failed: Any) -> None:
    deltas, reader = read(stream(delta(content="Hal"), failed))

    assert deltas == ["Hal", "f"]
    assert type(reader.failure) is ModelRateLimited
    assert reader.finish_reason is None


@pytest.mark.parametrize(
    "told",
    [
        b'event: error\ndata: {"type":"authentication_error","message":"no"}\n\n',
        b'event: error\ndata: {"error":{"code":401}}\n\n',
        b'data: [{"error":{"code":401,"message":"x"}}]\n\n',
    ],
)
def test_error_in_another_wrapping(told: bytes) -> None:
    _, reader = read(event(delta(content="Half")), told)

    assert type(reader.failure) is ModelMisconfigured


BARE_ERRORS: dict[str, tuple[Any, type[ModelFailure]]] = {
    "vllm": (
        {"object": "error", "message": "no memory", "type": "InternalServerError", "code": 500},
        ModelUnavailable,
    ),
    "fastapi": ({"detail": "Internal error"}, ModelUnavailable),
    "cloudflare": (
        {"success": False, "errors": [{"code": 3040, "message": "Capacity"}]},
        ModelUnavailable,
    ),
    "baidu": ({"error_code": 336100, "error_msg": "try again"}, ModelUnavailable),
    "minimax": (
        {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}, "choices": None},
        ModelMisconfigured,
    ),
    "dashscope": ({"code": "Throttling", "message": "slow down"}, ModelRateLimited),
    "anthropic": ({"type": "error", "message": "x"}, ModelUnavailable),
    "a status": ({"status": 429, "message": "x"}, ModelRateLimited),
    "a status in words": ({"status": "failed", "message": "x"}, ModelUnavailable),
    "a code in digits": ({"code": "401", "msg": "x"}, ModelMisconfigured),
}


@pytest.mark.parametrize(("told", "failure"), BARE_ERRORS.values(), ids=BARE_ERRORS)
def test_error_without_that_name_is_no_answers_end(told: Any, failure: type[ModelFailure]) -> None:
    deltas, reader = read(stream(delta(content="Half"), told, "[DONE]"))

    assert deltas == ["Half"]
    assert type(reader.failure) is failure
    assert not reader.done


@pytest.mark.parametrize(
    "told",
    [
        {"code": 0, "message": "success"},
        {"code": "ok", "message": "working"},
        {"code": 200, "msg": "ok"},
        {"status": "processing", "message": "searching"},
        {"base_resp": {"status_code": 0, "status_msg": ""}},
        {"type": "ping", "detail": "x"},
        {"error": {"code": None, "message": ""}},
        {"error": ""},
        {**delta(content=""), "error": {"code": None, "message": None}},
        {**delta(content=""), "detail": "x", "code": 500},
    ],
)
def test_what_only_looks_like_an_error_is_none(told: Any) -> None:
    deltas, reader = read(stream(delta(content="Hel"), told, delta(content="lo"), delta("stop")))

    assert deltas == ["Hel", "lo"]
    assert reader.failure is None


@pytest.mark.parametrize("reason", ["null", "None", " ", "", False, 0, "FINISH_REASON_UNSPECIFIED"])
def test_word_for_no_reason_ends_nothing(reason: Any) -> None:
    deltas, reader = read(event(delta(reason, content="Hel")))

    assert deltas == ["Hel"]
    assert reader.finish_reason is None


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        (["error", "stop"], "error"),
        (["network_error", "length", "stop"], "network_error"),
        (["length", "stop"], "length"),
        (["content_filter", "stop"], "content_filter"),
        (["stop", "length"], "length"),
        (["stop", "error"], "error"),
        (["a word of its own", "stop"], "stop"),
        (["stop", None], "stop"),
    ],
)
def test_reason_that_is_no_whole_answers_is_not_taken_back(
    reasons: list[str | None], expected: str
) -> None:
    _, reader = read(stream(delta(content="Half"), *map(delta, reasons), "[DONE]"))

    assert reader.finish_reason == expected


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_lines_may_end_each_in_its_own_way(size: int) -> None:
    data = (
        b"event: message\rid: 7\r\n: a comment\r"
        + event(delta(content="Hel"), "\r\n")
        + b": a comment\r"
        + event(delta(content="l"), "\r")
        + b"event: message\n"
        + event(delta(content="o"))[:-2]
        + b"\r\n\n"
        + b"event: message\r"
        + event(delta("stop", content="!"), "\r")
    )
    reader = ChunkReader()

    pieces = [data[at : at + size] for at in range(0, len(data), size)]

    deltas = [delta for piece in pieces for delta in reader.feed(piece)]

    assert [*deltas, *reader.end()] == ["Hel", "l", "o", "!"]
    assert (reader.finish_reason, reader.failure) == ("stop", None)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_events_without_blank_lines_are_told_apart(newline: str, size: int) -> None:
    lines = [f"data: {each if isinstance(each, str) else json.dumps(each)}" for each in WHOLE]
    data = newline.join([*lines, ""]).encode()
    reader = ChunkReader()

    pieces = [data[at : at + size] for at in range(0, len(data), size)]

    deltas = [delta for piece in pieces for delta in reader.feed(piece)]

    assert deltas + reader.end() == ["Hel", "lo 👋"]
    assert (reader.finish_reason, reader.done, reader.failure) == ("stop", True, None)


@pytest.mark.parametrize("mark", ["[DONE]", " [DONE] ", "[done]", '"[DONE]"'])
def test_end_mark_in_any_spelling(mark: str) -> None:
    assert read(event(mark))[1].done


def test_event_without_its_blank_line_is_read_at_the_end() -> None:
    reader = ChunkReader()

    assert reader.feed(stream(delta(content="Hi"), delta("stop"))[:-1]) == ["Hi"]
    assert reader.end() == []
    assert reader.finish_reason == "stop"


def test_reasoning_is_counted() -> None:
    usage = {**USAGE, "completion_tokens_details": {"reasoning_tokens": 2}}

    assert read(event({"choices": [], "usage": usage}))[1].usage == Usage(24, 3, 2)


DOCUMENT = {
    "object": "chat.completion",
    "model": "m-1",
    "choices": [
        {"index": 0, "message": {"content": "Hello", "role": "assistant"}, "finish_reason": "stop"}
    ],
    "usage": USAGE,
}


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_document_is_an_answer(size: int) -> None:
    data = b"\n " + json.dumps(DOCUMENT, indent=1).encode()
    reader = ChunkReader()

    deltas = [reader.feed(data[at : at + size]) for at in range(0, len(data), size)]

    assert not any(deltas)
    assert reader.end() == ["Hello"]
    assert (reader.finish_reason, reader.usage, reader.model) == ("stop", Usage(24, 3), "m-1")
    assert reader.done


@pytest.mark.parametrize(
    ("document", "failure"),
    [
        ({"error": "Unexpected endpoint or method. Returning 200 anyway"}, ModelMisconfigured),
        ({"error": {"message": "x", "code": 401}}, ModelMisconfigured),
        ([{"error": {"message": "x", "code": 429}}], ModelRateLimited),
        ({"error": {"message": "x", "code": 502}}, ModelUnavailable),
        ({"error": {"message": "x", "type": "server_error"}}, ModelUnavailable),
        ({"status": "ok"}, ModelMisconfigured),
        ({"choices": []}, ModelMisconfigured),
        ([], ModelMisconfigured),
        ({"object": "error", "code": 429, "message": "x"}, ModelRateLimited),
        ({"detail": "Not Found"}, ModelMisconfigured),
        ({"choices": None, "base_resp": {"status_code": 1004}}, ModelMisconfigured),
    ],
)
def test_document_that_is_no_answer(document: Any, failure: type[ModelFailure]) -> None:
    reader = ChunkReader()

    assert reader.feed(json.dumps(document).encode()) + reader.end() == []
    assert type(reader.failure) is failure
    assert reader.failure.is_free or failure is ModelUnavailable


@pytest.mark.parametrize("page", [b"<!doctype html><p>x", b"\n<html>", b"{not json", b"[1,"])
def test_page_is_the_owners_trouble(page: bytes) -> None:
    reader = ChunkReader(media_type="text/html; charset=utf-8")
    reader.feed(page)
    reader.end()

    assert type(reader.failure) is ModelMisconfigured
    assert reader.failure.cause == (
        "answered 200 text/html, not an event stream: does OPENAI_BASE_URL end in /v1?"
    )


def test_completion_that_was_cut_is_not_the_owners_trouble() -> None:
    reader = ChunkReader(media_type="application/json")
    reader.feed(json.dumps(DOCUMENT).encode()[:-30])
    reader.end()

    assert type(reader.failure) is ModelInterrupted


THOUGHTS = {
    "one": (["<think>The user", " greets.</think>\n\nHello!"], "Hello!"),
    "cut anywhere": (["<th", "ink>hm", "</th", "ink>\n\nHel", "lo!"], "Hello!"),
    "letter by letter": (list("<think>a</think> Hello!"), "Hello!"),
    "after blanks": (["\n\n", " <think>hm</think>", "\n", "Hello!"], "Hello!"),
    "blanks only": (["\n", " \n"], ""),
    "two": (["<think>a</think>\n<think>b</think>\nHello!"], "Hello!"),
    "thinking": (["<thinking>a</think>b</thinking>Hello!"], "Hello!"),
    "upper case": (["<THINK>a</Think>Hello!"], "Hello!"),
    "later": (
        ["Use the <think> tag: `<think>x</think>`."],
        "Use the <think> tag: `<think>x</think>`.",
    ),
    "nearly": (["<thin", "ker>x</thinker>"], "<thinker>x</thinker>"),
    "another tag": (["<b>", "x</b>"], "<b>x</b>"),
    "begun and ended": (["<thi"], "<thi"),
    "never closed": (["<think>hm, ", "so"], ""),
    "empty": (["<think></think>", "Hello!"], "Hello!"),
    "a number behind it": (["<think>x</think>", "\n"], ""),
}


@pytest.mark.parametrize(("said", "expected"), THOUGHTS.values(), ids=THOUGHTS)
def test_thoughts_at_the_head_are_no_answer(said: list[str], expected: str) -> None:
    deltas, reader = read(*[event(delta(content=text)) for text in said], event(delta("stop")))

    assert "".join(deltas) == expected
    assert reader.has_begun is bool(expected)


@pytest.mark.parametrize(
    ("part", "has_thought"),
    [
        ({"reasoning_content": "hm"}, True),
        ({"reasoning": "hm", "content": ""}, True),
        ({"reasoning_details": [{"text": "hm"}]}, True),
        ({"thinking": "hm"}, True),
        ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}, True),
        ({"content": "<think>hm"}, True),
        ({"content": "<think>hm</think>Hello"}, True),
        ({"reasoning_content": None, "reasoning": "", "content": "Hello"}, False),
        ({"content": [{"type": "text", "text": "Hello"}]}, False),
        ({"content": "Use the <think> tag"}, False),
        ({"role": "assistant"}, False),
    ],
)
def test_thoughts_are_noticed_however_they_are_told(
    part: dict[str, Any], has_thought: bool
) -> None:
    for chunks in ([delta(**part)], [delta(role="assistant"), delta(**part), delta("stop")]):
        assert read(stream(*chunks))[1].has_thought is has_thought


def test_shortcut_begins_behind_the_thoughts() -> None:
    said = ["<think>", "hm", "</think>", "Hel", "lo", "!"]

    deltas, reader = read(*[event(FORMS[0] % json.dumps(text)) for text in said])

    assert deltas == ["Hel", "lo", "!"]
    assert reader.fed == 4


def test_data_of_several_lines_is_one_event() -> None:
    deltas, _ = read(b'data: {"choices": [\ndata: {"delta": {"content": "Hi"}}]}\n\n')

    assert deltas == ["Hi"]


def test_space_after_the_colon_is_optional() -> None:
    assert read(event(delta(content="Hi")).replace(b"data: ", b"data:"))[0] == ["Hi"]


def test_event_without_its_blank_line_is_not_read() -> None:
    assert read(event(delta(content="Hi"))[:-1])[0] == []


def test_refusal_is_collected() -> None:
    _, reader = read(stream(delta(refusal="I must"), delta(refusal=" not"), delta("stop")))

    assert reader.refusal == "I must not"


def test_what_follows_the_end_is_ignored() -> None:
    deltas, reader = read(stream(*WHOLE, delta(content="more"), "junk"))

    assert deltas == ["Hel", "lo 👋"]
    assert reader.failure is None


CORRUPT = {
    "half a chunk": event('{"choices":[{"delta":{"content":"tr'),
    "no JSON": event("<html>"),
    "no UTF-8": b'data: {"choices":[{"delta":{"content":"\xff\xfe"}}]}\n\n',
    "half an escape": event('{"choices":[{"delta":{"content":"\\ud83"}}]}'),
    "half a character before no JSON": event(delta(content="\ud83d")) + event("junk"),
    "half a character in UTF-8": b'data: {"choices":[{"delta":{"content":"\xed\xa0\xbd"}}]}\n\n',
    "half a character in what is no text": event({"choices": ["\ud83d"]}),
    "choices of text": event({"choices": "text"}),
    "choices of numbers": event({"choices": [7]}),
    "choices as an object": event({"choices": {"delta": {}}}),
    "delta of text": event({"choices": [{"delta": "text"}]}),
    "content as an object": event({"choices": [{"delta": {"content": {"text": "Hi"}}}]}),
    "content as pieces of what is no text": event(
        {"choices": [{"delta": {"content": [{"type": "text", "text": 7}]}}]}
    ),
    "a named event with half a chunk": b'event: chunk\ndata: {"choices":[{"del\n\n',
    "a message that is no JSON": b"event: message\ndata: oh no\n\n",
    "content as a list of numbers": event({"choices": [{"delta": {"content": [7]}}]}),
    "deep": event("[" * 100_000),
    "deep with half a character": event('["\\ud83d",' + "[" * 500 + "]" * 501),
}


@pytest.mark.parametrize("corrupt", CORRUPT.values(), ids=CORRUPT)
def test_corrupt_chunk_ends_the_answer_and_keeps_the_rest(corrupt: bytes) -> None:
    deltas, reader = read(event(delta(content="Half")) + corrupt + event(delta(content="never")))

    assert deltas == ["Half"]
    assert type(reader.failure) is ModelInterrupted


def test_error_of_the_provider_ends_the_answer_and_keeps_the_rest() -> None:
    error = {"error": {"message": "sk-secret", "type": "server_error"}}

    deltas, reader = read(stream(delta(content="Half"), error))

    assert deltas == ["Half"]
    assert type(reader.failure) is ModelUnavailable
    assert "sk-secret" not in str(reader.failure)


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"total_tokens": 5},
        {"prompt_tokens": None, "completion_tokens": None},
        {"prompt_tokens": "many", "completion_tokens": 1},
        {"prompt_tokens": -1, "completion_tokens": 1},
        {"prompt_tokens": 1e300, "completion_tokens": 1},
        {"prompt_tokens": float("inf"), "completion_tokens": 1},
        [1, 2],
        "none",
        7,
    ],
)
def test_usage_that_makes_no_sense_is_none(usage: Any) -> None:
    deltas, reader = read(stream(delta(content="Hi"), {"choices": [], "usage": usage}, "[DONE]"))

    assert deltas == ["Hi"]
    assert reader.usage is None
    assert reader.failure is None
    assert reader.done


def test_line_without_end_is_refused() -> None:
    _, reader = read(*[b"x" * 65_536] * (MAX_EVENT_BYTES // 65_536 + 2))

    assert type(reader.failure) is ModelInterrupted


def test_event_without_end_is_refused() -> None:
    line = b"data: " + b" " * 65_536 + b"\n"
    _, reader = read(*[line] * (MAX_EVENT_BYTES // 65_536 + 2))

    assert type(reader.failure) is ModelInterrupted


def test_long_delta_is_read() -> None:
    long = "x" * 1_000_000
    data = event(delta(content=long))

    deltas, _ = read(*[data[at : at + 16_384] for at in range(0, len(data), 16_384)])

    assert deltas == [long]


chunks = (
    st.builds(lambda text: delta(content=text), st.text(max_size=20))
    | st.builds(lambda text: delta(content=text), st.sampled_from(["<", "<think>", "a</think>"]))
    | st.builds(lambda said: delta(content=said), st.sampled_from([7, 0.5, True, [], {}]))
    | st.builds(lambda text: delta(refusal=text), st.text(max_size=5))
    | st.just(delta("stop"))
    | st.just({"choices": [], "usage": USAGE})
    | st.sampled_from(["[DONE]", "junk", '{"error": {}}', '{"error": {"code": 1}}'])
)
streams = st.lists(st.tuples(chunks, st.sampled_from(["\n", "\r\n", "\r"])), max_size=8).map(
    lambda events: b"".join(event(chunk, newline) for chunk, newline in events)
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(data=streams | st.binary(max_size=200), places=st.lists(st.integers(0, 10_000), max_size=20))
def test_any_split_of_the_bytes_gives_the_same(data: bytes, places: list[int]) -> None:
    whole, one = read_plainly(data)

    pieces, other = read(*cut(data, places))

    assert pieces == whole
    assert same(one, other)


# As providers write them: with and without spaces, padded, with escapes or none.
FORMS = (
    '{"id":"c-1","choices":[{"index":0,"delta":{"content":%s},"finish_reason":null}]}',
    '{"id": "c-1", "choices": [{"delta": {"content": %s}}], "usage": null}',
    '{"choices":[{"delta":{"content":%s}}],"obfuscation":"aB3","p":"x"}',
    '{"choices":[{"delta":{"content":%s}}],"obfuscation":"q"}',
    '{"choices":[{"delta":{"content":%s},"logprobs":{"content":[{"token":"x"}]}}]}',
    '{"choices":[{"delta":{"role":"assistant","refusal":null,"content":%s}}],"error":null}',
    '{"choices":[{"delta":{"content":%s}}],"usage":{"prompt_tokens":7,"completion_tokens":1}}',
    '{"choices":[{"delta":{"refusal":"no","content":%s}}]}',
    '{"choices":[{"delta":{}},{"delta":{"content":%s}}]}',
    '{"c\\u006fntent":1,"choices":[{"delta":{"c\\u006fntent":"a","x":%s}}]}',
    '{"choices":[{"index":1,"delta":{"content":%s}}]}',
    '{"choices":[{"index":1,"delta":{"content":"b"}},{"index":0,"delta":{"content":%s}}]}',
    '{"choices":[{"message":{"content":%s}}]}',
    '{"choices":[{"delta":{"content":[{"type":"text","text":%s}]}}]}',
    '{"choices":[{"delta":{"content":%s},"finish_reason":""}]}',
    '{"choices":[{"delta":{"content":%s},"error":{"code":502}}]}',
    '{"error":{"code":429},"choices":[{"delta":{"content":%s}}]}',
    '{"choices":[{"delta":{"content":7,"x":%s}}]}',
    '{"choices":[{"delta":{"reasoning":%s,"content":null}}]}',
    '{"choices":[{"delta":{"content":%s},"finish_reason":"tool_calls"}]}',
    '{"choices":[{"delta":{"content":%s},"finish_reason":"null"}]}',
    '{"choices":[{"delta":{"content":%s}}],"error":{"code":null}}',
    '{"choices":[{"delta":{"content":%s}}],"detail":"x","code":500}',
    '{"object":"error","message":%s,"code":500}',
    '{"content":%s,"detail":"x"}',
)
# Words that are no chunk, or more than one.
RAW = (
    b"data:\n\n",
    b"data: null\n\n",
    b"event: ping\ndata: ping\n\n",
    b"event: error\n",
    b"event: error\ndata: {}\n\n",
    b'data: {"choices":[{"delta":{"content":"x"}}]}\n',
    b"data: [DONE]\n",
    b'data: {"detail":"x"}\n\n',
    b"\xef\xbb\xbf",
    b"\n",
    b"\r",
    b": ping\r",
    b"event: ping\r\n",
    b" ",
)
TRICKY = [
    "<",
    "<think>",
    "</think>",
    "think>",
    '"',
    "\\",
    '","obfuscation":"',
    "\x1f",
    "\x7f",
    "é",
    "👋",
    "\n",
    " ",
    '"},"content":"',
]
written = st.builds(
    lambda form, text, escaped: form % json.dumps(text, ensure_ascii=escaped),
    st.sampled_from(FORMS),
    st.text(max_size=8) | st.lists(st.sampled_from(TRICKY), max_size=3).map("".join),
    st.booleans(),
)


@given(
    st.lists(
        written.map(event)
        | st.sampled_from([event(": ping"), event("[DONE]"), event('{"error":{}}'), *RAW]),
        max_size=8,
    ),
    st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=2)), max_size=2),
    st.data(),
)
def test_events_one_by_one_give_what_all_at_once_gives(
    events: list[bytes], damages: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    pieces = list(events)
    for place, damage in damages:  # which may also join two events or cut one
        at = place % max(1, len(pieces))
        pieces[at:at] = [damage]
    if data.draw(st.booleans()):
        pieces = [b"".join(pieces[:2]), *pieces[2:]]
    whole, one = read_plainly(b"".join(pieces))

    taken, other = read(*pieces)

    assert taken == whole
    assert same(one, other)


@pytest.mark.parametrize("form", FORMS[:4])
def test_event_like_the_one_before_is_not_read_again(form: str) -> None:
    said = ["Hel", "lo ", "wörld 👋", "!"]

    deltas, reader = read(*[event(form % json.dumps(text, ensure_ascii=False)) for text in said])

    assert deltas == said
    assert reader.fed == 1


@pytest.mark.parametrize("form", FORMS[:4])
@pytest.mark.parametrize("together", [2, 3, 5])
def test_events_that_come_together_are_not_read_again(form: str, together: int) -> None:
    said = [f"word {number} " for number in range(15)]
    events = [event(form % json.dumps(text)) for text in said]

    deltas, reader = read(
        *[b"".join(events[at : at + together]) for at in range(0, len(events), together)]
    )

    assert deltas == said
    assert reader.fed == 1


def test_event_of_another_kind_among_those_that_come_together_is_read() -> None:
    one = event(FORMS[0] % '"Hi"')
    quoted, other = one.replace(b"Hi", b'\\"'), one.replace(b"content", b"refusal")

    deltas, reader = read(one * 3, one * 2 + quoted, one * 2 + other)

    assert deltas == [*["Hi"] * 5, '"', *["Hi"] * 2]
    assert reader.refusal == "Hi"
    assert reader.fed == 3


def test_padding_of_another_length_is_no_other_event() -> None:
    events = [event(FORMS[3].replace('"q"', f'"{"q" * size}"') % '"Hi"') for size in (1, 5, 2)]

    deltas, reader = read(*events)

    assert deltas == ["Hi"] * 3
    assert reader.fed == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b'a\\"b', 'a"b'), (b"\\u00e9", "é"), (b"a\\\\", "a\\"), (b"line\\n", "line\n")],
)
def test_text_with_an_escape_is_read(text: bytes, expected: str) -> None:
    first = event(FORMS[0] % '"Hi"')

    deltas, reader = read(first, first.replace(b"Hi", text))

    assert deltas == ["Hi", expected]
    assert reader.fed == 2


@pytest.mark.parametrize("text", [b"\xff", b"\xed\xa0\xbd", b"\x01", b'"'])
def test_text_that_is_none_is_refused_as_ever(text: bytes) -> None:
    first = event(FORMS[0] % '"Hi"')

    deltas, reader = read(first, first.replace(b"Hi", text))

    assert deltas == ["Hi"]
    assert type(reader.failure) is ModelInterrupted


def test_event_behind_half_an_event_is_part_of_it() -> None:
    whole = event(FORMS[0] % '"Hi"')

    deltas, reader = read(whole, b"data: {", whole)

    assert deltas == ["Hi"]
    assert type(reader.failure) is ModelInterrupted


def test_more_is_not_wanted_once_the_end_was_told() -> None:
    reader = Reader()

    wanted = [reader.take(event(chunk)) for chunk in WHOLE]

    assert wanted == [True, True, True, False, True, False]


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), max_size=10))
def test_any_text_comes_through(deltas: list[str]) -> None:
    deltas = ["No thought: ", *deltas]

    assert read(stream(*(delta(content=text) for text in deltas)))[0] == deltas


def utf_16(text: str) -> list[str]:
    """The code units of a text, each as the character that JSON escapes it to."""
    units = text.encode("utf-16-le", "surrogatepass")
    return [chr(low | high << 8) for low, high in zip(units[::2], units[1::2], strict=True)]


@given(st.text(st.characters()), st.lists(st.integers(0, 100)))
def test_text_that_is_cut_between_utf_16_units_comes_through(text: str, places: list[int]) -> None:
    text = f"No thought: {text}"
    units = "".join(utf_16(text))
    ends = sorted({place % (len(units) + 1) for place in places} | {0, len(units)})
    said = [units[start:end] for start, end in pairwise(ends)]

    deltas, reader = read(stream(*(delta(content=each) for each in said), delta("stop")))

    expected = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert "".join(deltas) == expected
    assert "\ufffd" in expected or expected == text
    assert reader.failure is None


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([delta(content="Hi \ud83d"), delta(content="\ude00!")], ["Hi ", "😀!"]),
        ([delta(content="\ud83d"), delta(), delta(content=""), delta(content="\ude00")], ["😀"]),
        ([delta(content="\ud83d"), {"choices": []}, delta(content="\ude00")], ["😀"]),
        ([delta(content="\ud83d"), delta(content="x"), delta(content="y")], ["\ufffdx", "y"]),
        ([delta(content="\ude00"), delta(content="x")], ["\ufffd", "x"]),
        ([delta(content="\ud83d\ud83d"), delta(content="\ude00")], ["\ufffd", "😀"]),
        ([delta(content="x\ud83d"), delta("stop")], ["x", "\ufffd"]),
        ([delta("stop", content="x\ud83d")], ["x\ufffd"]),
        ([delta(content="x\ud83d"), "[DONE]"], ["x", "\ufffd"]),
        ([delta(content="x\ud83d")], ["x"]),  # broken off
    ],
)
def test_halves_of_a_character_are_joined(chunks: list[Any], expected: list[str]) -> None:
    deltas, reader = read(stream(*chunks))

    assert deltas == expected
    assert reader.failure is None


def test_halves_of_a_refusal_and_of_an_answer_are_kept_apart() -> None:
    deltas, reader = read(
        stream(
            delta(content="\ud83d", refusal="\ud83d"),
            delta(refusal="\ude01"),
            delta(content="\ude00"),
        )
    )

    assert deltas == ["😀"]
    assert reader.refusal == "😁"


def test_half_a_character_in_a_name_is_no_reason_to_stop() -> None:
    _, reader = read(stream({**delta(content="Hi"), "model": "gpt-\ud83d"}))

    assert reader.model == "gpt-?"


def test_message_that_sums_up_what_was_said_is_not_said_again() -> None:
    last = delta("stop")
    last["choices"][0]["message"] = {"role": "assistant", "content": "Hello!"}

    deltas, _ = read(stream(delta(content="Hello!"), last, "[DONE]"))

    assert deltas == ["Hello!"]


@pytest.mark.parametrize(
    "later", [{"queue_time": 0.1}, {"prompt_tokens": 0, "completion_tokens": 0}]
)
def test_usage_that_says_less_takes_no_good_ones_place(later: Any) -> None:
    good = {"prompt_tokens": 50, "completion_tokens": 7}

    _, reader = read(
        stream(
            delta(
                content="Hi",
            ),
            {"choices": [], "usage": good},
            {"usage": later},
        )
    )

    assert reader.usage == Usage(50, 7)


def test_thoughts_that_only_the_sum_has_are_counted() -> None:
    usage = {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135}

    _, reader = read(stream(delta(content="Hi"), {"choices": [], "usage": usage}))

    assert reader.usage == Usage(32, 103)
