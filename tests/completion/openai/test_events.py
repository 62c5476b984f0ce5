"""The event stream of a chat completion, split anywhere."""

import json
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.completion.openai.events import MAX_EVENT_BYTES, EventReader
from app.domain.conversation import Usage
from app.domain.errors import (
    ModelFailure,
    ModelInterrupted,
    ModelMisconfigured,
    ModelRateLimited,
    ModelUnavailable,
)
from tests.completion.openai.reading import (
    THOUGHTS,
    USAGE,
    WHOLE,
    cut,
    delta,
    event,
    read_pieces,
    same,
    stream,
    streams,
)


def read(*pieces: bytes) -> tuple[list[str], EventReader]:
    """What the plain reader makes of these pieces, to its end or its failure."""
    return read_pieces(EventReader(), pieces)


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
        b"data: ping\n\ndata: [HEARTBEAT]\n\ndata: keep-alive\n\n",
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


@pytest.mark.parametrize("said", [{"message": {"content": "Hi"}}, {"text": "Hi"}])
def test_message_or_text_is_read_like_a_delta(said: Any) -> None:
    assert read(event({"choices": [said]}))[0] == ["Hi"]


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
        b'error: {"code":401,"message":"x"}\n\n',
        b'error: {"error":{"code":401,"message":"x"}}\n\ndata: [DONE]\n\n',
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
    reader = EventReader()

    pieces = [data[at : at + size] for at in range(0, len(data), size)]

    deltas = [delta for piece in pieces for delta in reader.feed(piece)]

    assert [*deltas, *reader.end()] == ["Hel", "l", "o", "!"]
    assert (reader.finish_reason, reader.failure) == ("stop", None)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_events_without_blank_lines_are_told_apart(newline: str, size: int) -> None:
    lines = [f"data: {each if isinstance(each, str) else json.dumps(each)}" for each in WHOLE]
    data = newline.join([*lines, ""]).encode()
    reader = EventReader()

    pieces = [data[at : at + size] for at in range(0, len(data), size)]

    deltas = [delta for piece in pieces for delta in reader.feed(piece)]

    assert deltas + reader.end() == ["Hel", "lo 👋"]
    assert (reader.finish_reason, reader.done, reader.failure) == ("stop", True, None)


@pytest.mark.parametrize("mark", ["[DONE]", " [DONE] ", "[done]", '"[DONE]"'])
def test_end_mark_in_any_spelling(mark: str) -> None:
    assert read(event(mark))[1].done


def test_event_without_its_blank_line_is_read_at_the_end() -> None:
    reader = EventReader()

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
    reader = EventReader()

    deltas = [reader.feed(data[at : at + size]) for at in range(0, len(data), size)]

    assert not any(deltas)
    assert reader.end() == ["Hello"]
    assert (reader.finish_reason, reader.usage, reader.model) == ("stop", Usage(24, 3), "m-1")
    assert reader.done


CHUNKS = [delta(content="Hel"), delta(content="lo"), delta("stop"), {"usage": USAGE}]


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(CHUNKS).encode(),
        b"\n".join(json.dumps(chunk).encode() for chunk in CHUNKS),
        b"\r\n\r\n".join(json.dumps(chunk).encode() for chunk in CHUNKS),
        event(CHUNKS),
    ],
    ids=["list", "lines", "lines apart", "list in an event"],
)
def test_chunks_that_come_together_are_all_read(data: bytes) -> None:
    reader = EventReader()

    assert reader.feed(data) + reader.end() == ["Hel", "lo"]
    assert (reader.finish_reason, reader.usage) == ("stop", Usage(24, 3))


def test_error_among_chunks_that_come_together_is_no_answers_end() -> None:
    reader = EventReader()
    told = [delta(content="Half"), {"error": {"message": "x", "code": 429}}]

    assert reader.feed(json.dumps(told).encode()) + reader.end() == ["Half"]
    assert type(reader.failure) is ModelRateLimited


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
    reader = EventReader()

    assert reader.feed(json.dumps(document).encode()) + reader.end() == []
    assert type(reader.failure) is failure
    assert reader.failure.is_free or failure is ModelUnavailable


@pytest.mark.parametrize("page", [b"<!doctype html><p>x", b"\n<html>", b"{not json", b"[1,"])
def test_page_is_the_owners_trouble(page: bytes) -> None:
    reader = EventReader(media_type="text/html; charset=utf-8")
    reader.feed(page)
    reader.end()

    assert type(reader.failure) is ModelMisconfigured
    assert reader.failure.cause == (
        "answered 200 text/html, not an event stream: does OPENAI_BASE_URL end in /v1?"
    )


def test_completion_that_was_cut_is_not_the_owners_trouble() -> None:
    reader = EventReader(media_type="application/json")
    reader.feed(json.dumps(DOCUMENT).encode()[:-30])
    reader.end()

    assert type(reader.failure) is ModelInterrupted


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


@pytest.mark.parametrize(("line", "size"), [(b"data:a\n", 64 * 1024), (b"data: a ", 100)])
def test_event_that_grows_is_not_copied_with_each_piece(line: bytes, size: int) -> None:
    data = event({"choices": []}) + line * (2 * MAX_EVENT_BYTES // len(line))
    begun_at = time.process_time()

    read(*[data[at : at + size] for at in range(0, len(data), size)])

    assert time.process_time() - begun_at < 1


def test_long_delta_is_read() -> None:
    long = "x" * 1_000_000
    data = event(delta(content=long))

    deltas, _ = read(*[data[at : at + 16_384] for at in range(0, len(data), 16_384)])

    assert deltas == [long]


def test_more_is_not_wanted_once_the_end_was_told() -> None:
    reader = EventReader()

    wanted = [reader.take(event(chunk)) for chunk in WHOLE]

    assert wanted == [True, True, True, False, True, False]


@given(data=streams | st.binary(max_size=200), places=st.lists(st.integers(0, 10_000), max_size=20))
def test_any_split_of_the_bytes_gives_the_same(data: bytes, places: list[int]) -> None:
    whole, one = read(data)

    pieces, other = read(*cut(data, places))

    assert pieces == whole
    assert same(one, other)


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
    "last",
    [
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}]},
        {"choices": [{"index": 0, "delta": {}}], "x_groq": {"id": "r", "usage": USAGE}},
    ],
)
def test_usage_is_found_where_some_providers_put_it(last: Any) -> None:
    assert read(stream(delta(content="Hi"), last, "[DONE]"))[1].usage == Usage(24, 3)


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
