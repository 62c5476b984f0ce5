"""The shortcut past the reader of events, and its plain twin: the same bytes through both."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.completion.openai.events import EventReader
from app.completion.openai.shortcut import ShortcutReader
from app.domain.errors import ModelInterrupted
from tests.completion.openai.reading import (
    THOUGHTS,
    WHOLE,
    cut,
    delta,
    event,
    read_pieces,
    same,
    streams,
)


class Reader(ShortcutReader):
    """A reader that notes how often it had to read all of an event."""

    def __init__(self) -> None:
        super().__init__()
        self.fed = 0

    def feed(self, received: bytes) -> list[str]:
        self.fed += 1
        return super().feed(received)


def read(*pieces: bytes) -> tuple[list[str], Reader]:
    """What the shortcut makes of these pieces, to its end or its failure."""
    return read_pieces(Reader(), pieces)


def read_plainly(data: bytes) -> tuple[list[str], EventReader]:
    """What the plain twin makes of the same bytes."""
    return read_pieces(EventReader(), [data])


@given(data=streams | st.binary(max_size=200), places=st.lists(st.integers(0, 10_000), max_size=20))
def test_shortcut_gives_what_its_plain_twin_gives(data: bytes, places: list[int]) -> None:
    whole, one = read_plainly(data)

    pieces, other = read(*cut(data, places))

    assert pieces == whole
    assert same(one, other)


@pytest.mark.parametrize("said", [said for said, _ in THOUGHTS.values()], ids=THOUGHTS)
def test_shortcut_hears_the_thoughts_that_its_plain_twin_hears(said: list[str]) -> None:
    pieces = [*[event(delta(content=text)) for text in said], event(delta("stop"))]
    whole, one = read_plainly(b"".join(pieces))

    taken, other = read(*pieces)

    assert taken == whole
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
def test_events_one_by_one_give_what_the_plain_twin_gives(
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


def test_shortcut_begins_behind_the_thoughts() -> None:
    said = ["<think>", "hm", "</think>", "Hel", "lo", "!"]

    deltas, reader = read(*[event(FORMS[0] % json.dumps(text)) for text in said])

    assert deltas == ["Hel", "lo", "!"]
    assert reader.fed == 4
